"""The rest of the ``[container]`` table, once ``transport`` has selected this plugin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

DEFAULT_LABEL_FIELDS = (
    "answer",
    "answers",
    "expected",
    "expected_answer",
    "expected_label",
    "expected_output",
    "gold",
    "gold_answer",
    "gold_label",
    "ground_truth",
    "label",
    "labels",
    "reference_answer",
    "solution",
    "target",
    "targets",
)
_MIB = 1024 * 1024


def _positive(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{attribute.name} must be a positive number of seconds or bytes, got {value!r}")


def _address(_: object, attribute: attrs.Attribute[str | None], value: str | None) -> None:
    if value is None:
        return
    parts = urlsplit(value.replace("{port}", "1").replace("{host}", "localhost"))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{attribute.name} must look like http://127.0.0.1:8080, got {value!r}")
    if parts.username or parts.password:
        raise ValueError(f"{attribute.name} must not hold a credential; use auth_bearer_env")
    if parts.query or parts.fragment:
        raise ValueError(f"{attribute.name} must have neither query nor fragment, got {value!r}")


def _words(_: object, attribute: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    if any(not word or "\0" in word for word in value[:1]) or any("\0" in word for word in value):
        raise ValueError(f"{attribute.name} must begin with a program and hold no NUL, got {list(value)!r}")


def _header_texts(_: object, attribute: attrs.Attribute[Mapping[str, str]], value: Mapping[str, str]) -> None:
    for name, text in value.items():
        if not (name.isascii() and name) or not text.isascii() or not text.isprintable():
            raise ValueError(f"{attribute.name}.{name} must be printable ASCII")


@attrs.frozen
class SynthContainersConfig:
    """Where the task container is, or how it is started, and the limits that it is held to.

    At least one of `url` and `command` is given. With `command`, the container is started with the run and
    stopped with it; ``{port}`` in `url` or `command`, or no `url` at all, asks for a free loopback port.
    """

    url: str | None = attrs.field(
        default=None,
        validator=_address,
        metadata={"help": "Address of the container, such as http://127.0.0.1:8080; may hold {port}."},
    )
    command: tuple[str, ...] = attrs.field(
        default=(),
        converter=tuple,
        validator=_words,
        metadata={"help": "Program and arguments that serve the container; {port}, {host}, {python}."},
    )
    cwd: str | None = attrs.field(
        default=None,
        metadata={"help": "Directory that the command runs in; relative to the configuration file."},
    )
    headers: Mapping[str, str] = attrs.field(
        factory=dict,
        validator=_header_texts,
        repr=False,
        metadata={"help": "Headers sent with every request to the container."},
    )
    auth_bearer_env: str | None = attrs.field(
        default=None,
        metadata={"help": "Environment variable whose value is sent to the container as bearer token."},
    )
    startup_timeout_seconds: float = attrs.field(
        default=30.0,
        validator=_positive,
        metadata={"help": "How long a started container may take until /health answers."},
    )
    timeout_seconds: float = attrs.field(
        default=120.0,
        validator=_positive,
        metadata={"help": "How long one request to the container may take, a synchronous rollout included."},
    )
    shutdown_timeout_seconds: float = attrs.field(
        default=5.0,
        validator=_positive,
        metadata={"help": "How long a started container has between SIGTERM and SIGKILL."},
    )
    send_labels: bool = attrs.field(
        default=True,
        metadata={"help": "Send rows whole; if false, label_fields are left out of rollout requests."},
    )
    label_fields: tuple[str, ...] = attrs.field(
        default=DEFAULT_LABEL_FIELDS,
        converter=tuple,
        metadata={"help": "Names of the row fields, at any depth, that send_labels = false leaves out."},
    )
    max_body_bytes: int = attrs.field(
        default=16 * _MIB,
        validator=_positive,
        metadata={"help": "Largest answer accepted from the container, in bytes."},
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be used whatever the container is."""
        if self.url is None and not self.command:
            raise ValueError("url or command is needed: where the container is, or how it is started")
        if self.url is not None and "{port}" in self.url and not self.command:
            raise ValueError(
                "url holds {port}, which is chosen for a container that 'command' starts; add it"
            )
        if self.cwd is not None and not self.command:
            raise ValueError("cwd is where 'command' runs, and there is no command")
