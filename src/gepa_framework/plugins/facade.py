"""Finding, loading and building plugins: all that the rest of the framework knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from packaging.utils import canonicalize_name

from gepa_framework.errors import PluginError
from gepa_framework.plugins import lock as lock_file
from gepa_framework.plugins.catalogue import Catalogue
from gepa_framework.plugins.commands import ExtraCommands, checked_commands
from gepa_framework.plugins.found import Found, scan
from gepa_framework.plugins.hooks import Hooks
from gepa_framework.plugins.info import checked_info
from gepa_framework.plugins.loader import LoadedPlugin, import_plugin
from gepa_framework.plugins.made import check_made
from gepa_framework.plugins.reports import checked_sections
from gepa_framework.plugins.requirements import blocked_names, check_required
from gepa_framework.plugins.scenarios import HOOK as SCENARIOS_HOOK
from gepa_framework.plugins.scenarios import checked_scenarios, chosen, entry_of, is_source, not_found
from gepa_framework.types import (
    BuildContext,
    Cache,
    Executor,
    JSONObject,
    Kind,
    Listener,
    Proposer,
    ReportRun,
    ReportSection,
    Scenario,
    Stopper,
    Store,
    Transport,
)
from gepa_framework.types.copies import own_copy


class Plugins:
    """The installed plugins. Nothing is imported before it is asked for by name."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._hooks = Hooks()
        self._loaded: dict[tuple[Kind, str, str], LoadedPlugin] = {}

    @classmethod
    def discover(cls, *, require: Sequence[str] = (), block: Sequence[str] = ()) -> Plugins:
        """List what is installed, importing none of it.

        Args:
            require: Requirements as pip takes them, such as ``gepa-codex>=0.1``.
            block: Names of distributions whose plugins must not be used.

        Raises:
            PluginNotFoundError: Required distributions are missing or too old; names all of them.
            PluginIncompatibleError: A distribution is both required and blocked.
            PluginError: An entry cannot be read.
        """
        blocked = blocked_names(block)
        check_required(require, blocked)
        return cls(Catalogue.of(scan(), blocked=blocked))

    def founds(self) -> Sequence[Found]:
        """Give everything installed with its state, in the order of kind, name and distribution."""
        return self._catalogue.founds

    def problems(self) -> Sequence[str]:
        """Give one sentence for each thing that a distribution's metadata got wrong."""
        return self._catalogue.problems

    def load(self, kind: Kind, name: str) -> LoadedPlugin:
        """Import and check one plugin, once.

        Args:
            kind: Its kind.
            name: Its name, or ``dist:name`` where two distributions offer it.

        Raises:
            PluginNotFoundError: Nobody offers it.
            PluginAmbiguousError: More than one distribution offers it.
            PluginIncompatibleError: It is blocked, or made for another version of the framework or its API.
            PluginBrokenError: It does not import, or is not what a plugin must be.
        """
        found = self._catalogue.pick(kind, name)
        key = (found.kind, found.key, canonicalize_name(found.dist))
        if key not in self._loaded:
            plugin = import_plugin(found)
            info = checked_info(found, plugin)
            self._hooks.register(found, plugin)
            self._loaded[key] = LoadedPlugin(found, info, plugin)
        return self._loaded[key]

    def config_class(self, kind: Kind, name: str) -> type[object]:
        """Give the attrs class that the plugin's table is structured into; raises what `load` raises."""
        return self.load(kind, name).info.config

    def make_proposer(self, name: str, config: object, context: BuildContext) -> Proposer:
        """Build a proposer; raises what `load` raises, and PluginBrokenError when it does not build."""
        return cast("Proposer", self._make(Kind.PROPOSER, name, config, context))

    def make_transport(self, name: str, config: object, context: BuildContext) -> Transport:
        """Build a transport; raises what `load` raises, and PluginBrokenError when it does not build."""
        return cast("Transport", self._make(Kind.TRANSPORT, name, config, context))

    def make_cache(self, name: str, config: object, context: BuildContext) -> Cache:
        """Build a cache; raises what `load` raises, and PluginBrokenError when it does not build."""
        return cast("Cache", self._make(Kind.CACHE, name, config, context))

    def make_stopper(self, name: str, config: object, context: BuildContext) -> Stopper:
        """Build a stopper; raises what `load` raises, and PluginBrokenError when it does not build."""
        return cast("Stopper", self._make(Kind.STOPPER, name, config, context))

    def make_executor(self, name: str, config: object, context: BuildContext) -> Executor:
        """Build an executor; raises what `load` raises, and PluginBrokenError when it does not build."""
        return cast("Executor", self._make(Kind.EXECUTOR, name, config, context))

    def make_listener(self, name: str, config: object, context: BuildContext) -> Listener:
        """Build a listener; raises what `load` raises, and PluginBrokenError when it does not build."""
        return cast("Listener", self._make(Kind.LISTENER, name, config, context))

    def make_store(self, name: str, config: object, context: BuildContext) -> Store:
        """Build a store; raises what `load` raises, and PluginBrokenError when it does not build."""
        return cast("Store", self._make(Kind.STORE, name, config, context))

    def commands(self, name: str) -> ExtraCommands:
        """Give the commands that one extra brings.

        Raises what `load` raises, and PluginBrokenError when what it brings cannot be offered.
        """
        loaded = self.load(Kind.EXTRA, name)
        return checked_commands(loaded.found, self._hooks.ask(loaded, "gepa_cli_commands"))

    def report_sections(self, name: str, run: ReportRun) -> tuple[ReportSection, ...]:
        """Give the sections that one extra adds to the report of a run.

        Raises what `load` raises, and PluginBrokenError when what it gives is no section, or it raised.
        """
        loaded = self.load(Kind.EXTRA, name)
        return checked_sections(loaded.found, self._hooks.ask(loaded, "gepa_report_sections", run=run))

    def scenario_sources(self) -> Sequence[Found]:
        """Give the extras that have scenarios; imports nothing."""
        return [found for found in self._catalogue.founds if is_source(found)]

    def scenarios(self, name: str) -> tuple[Scenario, ...]:
        """Give the scenarios of one extra.

        Args:
            name: The extra's name without ``scenario.``, or ``dist:name``; nothing behind a ``/`` counts.

        Raises what `load` raises, ScenarioNotFoundError when there is no such extra, and PluginBrokenError
        when what it gives is no scenario.
        """
        entry = entry_of(name)
        key, dist = canonicalize_name(entry.rpartition(":")[2]), canonicalize_name(entry.rpartition(":")[0])
        sources = self.scenario_sources()
        if not any(each.key == key and dist in ("", canonicalize_name(each.dist)) for each in sources):
            raise not_found(name, list(dict.fromkeys(each.scenario for each in sources)))
        loaded = self.load(Kind.EXTRA, entry)
        return checked_scenarios(loaded.found, self._hooks.ask(loaded, SCENARIOS_HOOK))

    def scenario(self, scenario: str) -> Scenario:
        """Give one scenario by its id; raises what `scenarios` raises."""
        scenarios = self.scenarios(scenario)
        return chosen(self.load(Kind.EXTRA, entry_of(scenario)).found, scenarios, scenario)

    def lock(self, choices: Sequence[tuple[Kind, str, object]]) -> JSONObject:
        """Give the content of ``plugins.lock.json`` for plugins and their configurations, in the order given.

        Raises what `load` raises, and PluginBrokenError when a configuration has no JSON form.
        """
        return lock_file.lock_content((self.load(kind, name), config) for kind, name, config in choices)

    @staticmethod
    def compare_lock(recorded: JSONObject, current: JSONObject) -> None:
        """Hold two locks against each other.

        Raises:
            PluginLockError: They differ; names the first difference.
        """
        lock_file.compare_lock(recorded, current)

    def _make(self, kind: Kind, name: str, config: object, context: BuildContext) -> object:
        loaded = self.load(kind, name)
        if not isinstance(config, loaded.info.config):
            raise PluginError(
                f"{loaded.found.owner} is configured by a {loaded.info.config.__name__}, got {config!r}"
            )
        # What the run records of the configuration is not the plugin's to change.
        made = self._hooks.make(loaded, own_copy(config), context)
        check_made(loaded.found, made)
        return made
