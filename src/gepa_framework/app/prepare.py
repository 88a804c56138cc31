"""From a configuration file to everything that a run is made of; nothing is spent and nothing is written."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from gepa_framework.app.planning import make_plan
from gepa_framework.config import (
    LoadedConfig,
    PluginChoice,
    PluginsSection,
    RunConfig,
    check_config_class,
    parse_config,
)
from gepa_framework.config.document import read_text
from gepa_framework.engine import Plan
from gepa_framework.plugins import LoadedPlugin, Plugins
from gepa_framework.types import JSONObject, Kind


@attrs.frozen
class Prepared:
    """A configuration with its plugins loaded and its plan made.

    Attributes:
        loaded: The configuration, with positions and warnings.
        plugins: The installed plugins.
        chosen: Those that the configuration selects.
        plan: What the machine is built from.
        run_id: The run's name.
        run_dir: Where it will write.
    """

    loaded: LoadedConfig
    plugins: Plugins
    chosen: tuple[PluginChoice, ...]
    plan: Plan
    run_id: str
    run_dir: Path
    environ: Mapping[str, str] = attrs.field(repr=False)

    @property
    def config(self) -> RunConfig:
        """The configuration."""
        return self.loaded.config

    def loaded_plugins(self) -> Sequence[LoadedPlugin]:
        """Give the plugins that are selected, imported and checked."""
        return [self.plugins.load(choice.kind, choice.name) for choice in self.chosen]

    def lock(self) -> JSONObject:
        """Give what the run is to find again when it is resumed."""
        return self.plugins.lock([(choice.kind, choice.name, choice.options) for choice in self.chosen])


def new_run_id() -> str:
    """Make a name for a run that has none: when it began, and a random tail."""
    return f"gepa_{time.strftime('%Y%m%d_%H%M%S', time.gmtime())}_{secrets.token_hex(3)}"


def prepare_file(path: Path, *, sets: Sequence[str], environ: Mapping[str, str]) -> Prepared:
    """Prepare the run that a file describes.

    Raises:
        ConfigError: With every problem of the file.
        PluginError: A selected plugin cannot be used.
    """
    base_dir = path.absolute().parent
    return prepare_text(
        read_text(path, str(path)), file=str(path), base_dir=base_dir, sets=sets, environ=environ
    )


def prepare_text(
    text: str,
    *,
    file: str,
    base_dir: Path,
    sets: Sequence[str],
    environ: Mapping[str, str],
    run_id: str | None = None,
    run_dir: Path | None = None,
) -> Prepared:
    """Prepare the run that a text describes; raises what `prepare_file` raises."""
    installed: list[Plugins] = []

    def discover(table: PluginsSection) -> None:
        installed.append(Plugins.discover(require=table.require, block=table.block))

    def config_class(kind: Kind, plugin: str) -> type[object]:
        loaded = installed[0].load(kind, plugin)
        check_config_class(loaded.info.config, loaded.found.owner)
        return loaded.info.config

    loaded = parse_config(
        text,
        file=file,
        base_dir=base_dir,
        sets=sets,
        environ=environ,
        resolve=config_class,
        prepare=discover,
    )
    config = loaded.config
    name = run_id or config.run.run_id or new_run_id()
    return Prepared(
        loaded=loaded,
        plugins=installed[0],
        chosen=_choices(config),
        plan=make_plan(loaded),
        run_id=name,
        run_dir=run_dir or config.run.output_dir / name,
        environ=dict(os.environ),
    )


def _choices(config: RunConfig) -> tuple[PluginChoice, ...]:
    executor = (config.executor,) if config.executor else ()
    fixed = (config.container, config.proposer, config.cache.backend)
    return (*fixed, *executor, *config.stoppers, *config.listeners, config.store)
