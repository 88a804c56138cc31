"""Validators of configuration fields; each names the field, what is wrong and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]

_CREDENTIAL = re.compile(r"(?i)(token|secret|password|passwd|bearer|authorization|credential|api_?key$)")
#: Settings on which the promises of the plugin rest; ``extra_config`` may not touch them.
_OWNED = frozenset(
    {
        "approval_policy",
        "default_permissions",
        "hooks",
        "mcp_servers",
        "model",
        "model_provider",
        "notify",
        "permissions",
        "sandbox_mode",
        "sandbox_workspace_write",
        "shell_environment_policy",
    }
)


def positive(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Refuse what is not a number above zero."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"{attribute.name} must be a number above 0, got {value!r}")


def at_least(minimum: int) -> Validator:
    """Make a validator that refuses anything but whole numbers from `minimum` on."""

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise ValueError(f"{attribute.name} must be a whole number, {minimum} or more, got {value!r}")

    return check


def one_of(allowed: Iterable[str], refused: Mapping[str, str] | None = None) -> Validator:
    """Make a validator that takes some words, and gives the reason for words it knows and refuses."""
    words, reasons = tuple(allowed), refused or {}

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value in words:
            return
        reason = reasons.get(str(value), "")
        choice = ", ".join(repr(word) for word in words)
        raise ValueError(
            f"{attribute.name} must be one of {choice}, got {value!r}" + (f": {reason}" if reason else "")
        )

    return check


def not_blank(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Refuse a text without a visible character."""
    if isinstance(value, str) and not value.strip():
        raise ValueError(f"{attribute.name} must not be empty")


def http_url(_: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
    """Refuse what is not a plain http or https address, and credentials inside of it."""
    if value is None:
        return
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(
            f"{attribute.name} must be an http or https URL, got {parts.scheme or 'no scheme'!r}"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            f"{attribute.name} must not hold credentials, a query or a fragment; "
            "name the environment variable of the key in api_key_env"
        )


def variable_name(_: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
    """Refuse what cannot be the name of an environment variable; the value is not repeated."""
    if value and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError(
            f"{attribute.name} must be the name of an environment variable, such as OPENAI_API_KEY, "
            "not the key itself"
        )


def variable_names(instance: object, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    """Refuse a list in which an entry cannot be the name of an environment variable."""
    for name in value:
        variable_name(instance, attribute, name or " ")


def extra_table(_: object, attribute: attrs.Attribute[Any], value: Mapping[str, Any]) -> None:
    """Refuse settings that the plugin owns, and anything that looks like a credential."""
    owned = sorted(_OWNED & set(value))
    if owned:
        raise ValueError(f"{attribute.name} must not set {', '.join(owned)}: the plugin sets it")
    for path in _paths(value):
        key = path.rpartition(".")[2]
        if _CREDENTIAL.search(key):
            raise ValueError(
                f"{attribute.name} must not hold credentials, but has {path!r}; "
                "name the environment variable of the key in api_key_env"
            )


def _paths(table: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    for key, value in table.items():
        yield prefix + str(key)
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{key}.")


def must_be_false(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Refuse a switch that is on."""
    if value is not False:
        raise ValueError(f"{attribute.name} must be false: a user's own codex login is never copied")


def must_be_none(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Refuse a path."""
    if value is not None:
        raise ValueError(f"{attribute.name} must not be set: each run makes a private CODEX_HOME of its own")
