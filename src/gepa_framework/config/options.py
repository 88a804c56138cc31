"""A plugin's configuration written down as JSON, and structured again from that."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from gepa_framework.config.resolved import plain
from gepa_framework.config.sections.policy import credentials
from gepa_framework.config.structure import Faults, strict_converter, structure_class
from gepa_framework.errors import ConfigError, Problem
from gepa_framework.types import JSONObject, compact_json

T = TypeVar("T")
_REFUSED = "holds a credential, and it would be written down beside the run"
_ENV = "name an environment variable in its place, by a key that ends in '_env'"
_PASSWORD_IN_URL = re.compile(r"://[^/@\s:]*:[^/@\s]+@")


def written_options(options: object, redact: Callable[[str], str] = str) -> JSONObject:
    """Give a configuration as JSON from which `read_options` makes the same again.

    Args:
        options: Instance of a plugin's configuration class.
        redact: Takes the secrets that are known out of a text.

    Raises:
        ConfigError: It holds a credential, or something that JSON cannot hold; says at which keys.
    """
    written: dict[str, Any] = _without_none(plain(options))
    if found := list(_secrets(written, redact)):
        problems = tuple(Problem(".".join(path), _REFUSED, _ENV) for path in found)
        raise ConfigError(_REFUSED, hint=_ENV, problems=problems)
    if not _comes_back(options, written):
        raise ConfigError(
            f"cannot be written down: {type(options).__name__} has values that JSON has no form for",
            hint="tell the plugin's makers: strings, finite numbers, booleans, arrays and tables come back",
        )
    return written


def _comes_back(options: object, written: JSONObject) -> bool:
    try:
        compact_json(written)
        return read_options(type(options), written) == options
    except (ConfigError, ValueError):
        return False


def _secrets(written: Any, redact: Callable[[str], str]) -> Iterator[tuple[str, ...]]:
    """Give the path of every value that is a credential by its key or by its looks."""
    named = list(credentials(written))
    yield from named
    yield from (path for path, text in _texts(written) if path not in named and _tells(text, redact))


def _tells(text: str, redact: Callable[[str], str]) -> bool:
    return redact(text) != text or _PASSWORD_IN_URL.search(text) is not None


def _texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _texts(item, (*path, str(key)))


def read_options(cls: type[T], written: JSONObject) -> T:
    """Structure a configuration that was written down.

    Raises:
        ConfigError: The class does not take it.
    """
    try:
        return structure_class(strict_converter(), dict(written), cls)
    except Faults as found:
        problems = tuple(Problem(".".join(each.path), each.message, each.hint) for each in found.faults)
        raise ConfigError(str(problems[0]), problems=problems) from found


def _without_none(value: Any) -> Any:
    """Leave out what TOML could not have said."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value
