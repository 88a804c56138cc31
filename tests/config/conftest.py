from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from gepa_framework.config import LoadedConfig, parse_config
from gepa_framework.config.document import read_text
from gepa_framework.errors import ConfigError, PluginBrokenError, PluginError, PluginNotFoundError
from gepa_framework.types import JSONObject, Kind, NoConfig

MINIMAL = """\
[container]
url = "http://127.0.0.1:8080"
[dataset]
train_seeds = [0, 1, 2, 3]
heldout_seeds = [10, 11]
[proposer]
backend = "codex_app_server"
"""


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Retry:
    attempts: int = attrs.field(default=2, validator=attrs.validators.gt(0))
    pauses: tuple[float, ...] = ()


@attrs.frozen
class ContainerOptions:
    url: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    auth_bearer_env: str | None = None
    command: tuple[str, ...] = ()
    cwd: Path | None = None
    startup_timeout_seconds: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    send_labels: bool = True


@attrs.frozen
class CodexOptions:
    model: str | None = None
    command: tuple[str, ...] = ()
    execution_mode: Literal["local_process", "stdio", "websocket", "ws"] = "stdio"
    sandbox_mode: str = "workspace-write"
    approval_policy: str = "never"
    reasoning_effort: Literal["none", "low", "medium", "high"] | None = None
    service_tier: str | None = None
    auth_mode: Literal["auto", "api_key", "chatgpt"] = "auto"
    codex_home: Path | None = None
    api_key_env: str | None = None
    provider: str = "openai"
    timeout_seconds: float = attrs.field(default=300.0, validator=attrs.validators.gt(0))
    message_stall_timeout_seconds: float = 120.0
    copy_host_auth: bool = False


@attrs.frozen
class SqliteOptions:
    path: Path | None = None
    max_bytes: int | None = None


@attrs.frozen
class RichOptions:
    """One field of every sort that a plugin may use."""

    count: int = attrs.field(default=1, validator=attrs.validators.in_([1, 2, 3]))
    ratio: float | None = None
    colour: Colour = Colour.RED
    retry: Retry = attrs.field(factory=Retry)
    retries: tuple[Retry, ...] = ()
    names: frozenset[str] = frozenset()
    either: int | str = 0
    pair: tuple[int, str] = (0, "")
    table_or_list: Retry | list[int] | None = None
    extra: JSONObject = attrs.field(factory=dict)
    call: Callable[[], int] | None = None
    _hidden: str = attrs.field(default="", alias="shown")
    lower: int = 0
    upper: int = attrs.field(default=9)

    @upper.validator
    def _above(self, _: attrs.Attribute[Any], value: int) -> None:
        if value < self.lower:
            raise ValueError(f"must be at least lower ({self.lower})")


@attrs.frozen
class Needy:
    seconds: float


CLASSES: dict[tuple[Kind, str], type[object]] = {
    (Kind.TRANSPORT, "synth_containers"): ContainerOptions,
    (Kind.TRANSPORT, "rich"): RichOptions,
    (Kind.PROPOSER, "codex_app_server"): CodexOptions,
    (Kind.PROPOSER, "scripted"): NoConfig,
    (Kind.PROPOSER, "dist:scripted"): NoConfig,
    (Kind.CACHE, "sqlite"): SqliteOptions,
    (Kind.CACHE, "memory"): NoConfig,
    (Kind.STOPPER, "deadline"): Needy,
    (Kind.STOPPER, "never"): NoConfig,
    (Kind.LISTENER, "jsonl"): NoConfig,
    (Kind.EXECUTOR, "threads"): NoConfig,
    (Kind.STORE, "sqlite"): NoConfig,
    (Kind.STORE, "rich"): RichOptions,
}


def _resolve(kind: Kind, name: str) -> type[object]:
    if name == "broken":
        raise PluginBrokenError(
            "the plugin 'broken' did not import: ImportError: libfoo.so", hint="reinstall it"
        )
    try:
        return CLASSES[kind, name]
    except KeyError:
        raise PluginNotFoundError(f"no {kind} called '{name}'", hint="pip install it") from None


@pytest.fixture(scope="session")
def minimal() -> str:
    return MINIMAL


@pytest.fixture(scope="session")
def resolve() -> Callable[[Kind, str], type[object]]:
    return _resolve


@pytest.fixture(scope="session")
def parse() -> Callable[..., LoadedConfig]:
    """Parse a text that is put behind the minimal configuration; `whole` leaves that out."""

    def parse(text: str = "", *, whole: bool = False, **kwargs: Any) -> LoadedConfig:
        kwargs.setdefault("resolve", _resolve)
        source = text if whole else MINIMAL + text
        return parse_config(source, file="gepa.toml", base_dir=Path("/base"), **kwargs)

    return parse


@pytest.fixture(scope="session")
def load() -> Callable[..., LoadedConfig]:
    def load(path: Path, **kwargs: Any) -> LoadedConfig:
        text = read_text(path, str(path))
        return parse_config(text, file=str(path), base_dir=path.parent, resolve=_resolve, **kwargs)

    return load


@pytest.fixture(scope="session")
def lines_of(parse: Callable[..., LoadedConfig]) -> Callable[..., list[str]]:
    """Give what is wrong with a text, one line each."""

    def lines(text: str = "", **kwargs: Any) -> list[str]:
        try:
            parse(text, **kwargs)
        except (ConfigError, PluginError) as error:
            return str(error).splitlines()
        return []

    return lines
