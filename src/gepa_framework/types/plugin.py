"""What a plugin says of itself, and what it is given when it is built."""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from gepa_framework.types.json import EMPTY, JSONObject


class Kind(enum.StrEnum):
    """What a plugin is; each kind has one entry-point group and one hook that it must implement."""

    PROPOSER = "proposer"
    TRANSPORT = "transport"
    CACHE = "cache"
    STOPPER = "stopper"
    EXECUTOR = "executor"
    LISTENER = "listener"
    STORE = "store"
    EXTRA = "extra"

    @property
    def group(self) -> str:
        """The entry-point group, such as ``gepa_framework.proposers``."""
        return f"gepa_framework.{self.value}s"

    @property
    def hook(self) -> str:
        """The hook that a plugin of this kind implements, such as ``gepa_make_proposer``."""
        return "gepa_cli_commands" if self is Kind.EXTRA else f"gepa_make_{self.value}"

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks of which a plugin of this kind implements one at least."""
        return (self.hook, "gepa_report_sections", "gepa_scenarios") if self is Kind.EXTRA else (self.hook,)


class Capability(enum.StrEnum):
    """What a plugin promises beyond its Protocol."""

    CONCURRENT = "concurrent"
    """Several calls may be under way at once."""
    DETERMINISTIC = "deterministic"
    """Equal requests get equal answers."""
    PERSISTENT = "persistent"
    """What was put in is there for the next process."""
    WATCHES_CLOCK = "watches_clock"
    """A stopper that must be asked as time passes, not only between iterations."""


@attrs.frozen
class NoConfig:
    """The configuration of a plugin that has none."""


@attrs.frozen
class PluginInfo:
    """The constant ``plugin_info`` that every plugin module carries.

    Attributes:
        kind: Must be the kind of the entry point's group.
        name: Must be the entry point's name.
        api: Version range of the hook API that the plugin is written for, such as ``>=1.0,<2``.
        config: Frozen attrs class that the plugin's table is structured into.
        capabilities: What it promises beyond its Protocol.
        summary: One sentence for ``gepa plugins``.
    """

    kind: Kind
    name: str
    api: str
    config: type[object] = NoConfig
    capabilities: frozenset[Capability] = frozenset()
    summary: str = ""


@attrs.frozen
class BuildContext:
    """What a plugin is given when it is built.

    Attributes:
        run_id: The run; not to be used for anything that should be reproducible.
        run_dir: The run's directory; plugins write below it only.
        base_dir: What relative paths in the configuration are relative to.
        seed: The run's seed.
        concurrency: How many calls may be under way at once.
        settings: The resolved ``[gepa]`` table, for a plugin that honours run-wide settings.
        environ: The environment variables that the plugin may read.
        logger: The plugin's own logger.
        redact: Takes secrets out of a text before it is shown or kept.
        readonly: What is built for a cache may be read and nothing else, ``cache.mode = "readonly"``.
    """

    run_id: str
    run_dir: Path
    base_dir: Path
    seed: int = 0
    concurrency: int = 8
    settings: JSONObject = EMPTY
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    logger: logging.Logger = attrs.field(factory=lambda: logging.getLogger("gepa_framework.plugin"))
    redact: Callable[[str], str] = attrs.field(default=str, repr=False)
    readonly: bool = False
