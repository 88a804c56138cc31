"""`GepaRun`: the one object that users of the Python API hold."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from gepa_framework.app.building import build, build_store
from gepa_framework.app.extending import Extension, extension_of
from gepa_framework.app.history import History
from gepa_framework.app.prepare import Prepared, prepare_file, prepare_text
from gepa_framework.app.rerun import finished_before
from gepa_framework.app.result import GepaRunResult
from gepa_framework.app.scenarios import Check, preflight, scenario_text
from gepa_framework.app.schema import installed_schema
from gepa_framework.app.session import Session
from gepa_framework.app.stores import is_begun
from gepa_framework.app.verification import Verification
from gepa_framework.app.verifying import verify
from gepa_framework.config import LoadedConfig, locate_problem
from gepa_framework.engine import Plan
from gepa_framework.engine.setup import check_budget
from gepa_framework.errors import ConfigError, GepaError, PluginError, Problem, ScenarioNotFoundError
from gepa_framework.plugins import LoadedPlugin, Plugins
from gepa_framework.types import Listener, Scenario


@attrs.frozen
class GepaRun:
    """A run that is described and checked, and not begun yet.

    >>> result = GepaRun.from_toml("gepa.toml").execute()  # doctest: +SKIP
    >>> print(result.best_candidate)  # doctest: +SKIP
    """

    _prepared: Prepared
    _history: History | None = None
    _extension: Extension | None = None

    @classmethod
    def from_toml(
        cls,
        path: str | Path,
        *,
        sets: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> GepaRun:
        """Read, check and plan a run; spend nothing and write nothing.

        Args:
            path: The configuration file.
            sets: Overrides as ``dotted.path=value``.
            environ: Where environment overrides come from; the process's own where ``None``.

        Raises:
            ConfigError: With every problem of the configuration.
            PluginError: A selected plugin cannot be used.
            BudgetExceededError: The budget cannot hold what the run needs at the least.
        """
        environ = os.environ if environ is None else environ
        prepared = prepare_file(Path(path), sets=sets, environ=environ)
        check_budget(prepared.plan)
        run = cls(prepared)
        # An unknown scenario is a mistake in the file, to be told with the others.
        _ = run.scenario
        return run

    @classmethod
    def resume(
        cls, run_dir: str | Path, *, extend: Sequence[str] = (), accept_changed_plugins: bool = False
    ) -> GepaRun:
        """Take up a run where its journal ends.

        Args:
            run_dir: The run's directory.
            extend: Limits to raise, each as ``dotted.path=value``; a run that a limit ended goes on.
            accept_changed_plugins: Go on with other plugins than those that the run was started with.

        Raises:
            WorkspaceError: There is no run, or it cannot be read.
            ConfigError: What is to be raised is no limit, or would not be raised.
            RunStateError: The run failed or was cancelled for good and cannot be extended.
            PluginLockError: The plugins are not those that the run was started with.
            PluginError: The store that keeps its journal cannot be used.
        """
        history = History.read(Path(run_dir), accept_changed_plugins=accept_changed_plugins)
        if not accept_changed_plugins:
            history.compare_plugins()
        if not extend:
            return cls(history.present, history)
        extension = extension_of(history, extend)
        return cls(extension.prepared, history, extension)

    @classmethod
    def verify(cls, run_dir: str | Path, *, accept_changed_plugins: bool = False) -> Verification:
        """Replay what is on record of a run, and prove that all of it follows from what the run was fed.

        Nothing is written, nobody is asked, and the run may be worked on meanwhile.

        Args:
            run_dir: The run's directory.
            accept_changed_plugins: Replay with other plugins than those that the run was started with.

        Raises:
            WorkspaceError: A row, a feed or an exported file is not what was written.
            ReplayDivergenceError: An event is not what follows from the inputs.
            PluginLockError: The plugins are not those that the run was started with.
        """
        history = History.read(Path(run_dir), accept_changed_plugins=accept_changed_plugins)
        if not accept_changed_plugins:
            history.compare_plugins()
        return verify(history)

    @classmethod
    def from_scenario(
        cls,
        scenario: str,
        *,
        base_dir: str | Path = ".",
        sets: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> GepaRun:
        """Describe the run that a scenario begins with, as `from_toml` does what ``gepa init`` writes for it.

        Args:
            scenario: Its id.
            base_dir: What relative paths are relative to.
            sets: Overrides as ``dotted.path=value``.
            environ: Where environment overrides come from; the process's own where ``None``.

        Raises:
            ScenarioNotFoundError: There is no such scenario.
            GepaError: What `from_toml` raises.
        """
        environ = os.environ if environ is None else environ
        found = Plugins.discover().scenario(scenario)
        text = scenario_text(found, installed_schema().schema)
        file = f"<scenario {scenario}>"
        prepared = prepare_text(
            text, file=file, base_dir=Path(base_dir).absolute(), sets=sets, environ=environ
        )
        check_budget(prepared.plan)
        return cls(prepared)

    @property
    def run_id(self) -> str:
        """The run's name."""
        return self._prepared.run_id

    @property
    def run_dir(self) -> Path:
        """Where it writes."""
        return self._prepared.run_dir

    @property
    def plan(self) -> Plan:
        """What it is decided by, with the limits that hold now."""
        history = self._history
        if history is None:
            return self._prepared.plan
        limits = self._extension.given.limits if self._extension else history.limits
        return attrs.evolve(history.stages[0].plan, limits=limits)

    @property
    def resumed(self) -> bool:
        """Whether it goes on where its journal ends."""
        return self._history is not None

    @property
    def events_on_record(self) -> int:
        """Events that were on record when it was taken up."""
        return self._history.record.events if self._history else 0

    @property
    def extensions(self) -> tuple[str, ...]:
        """What was raised since it began, as ``key=value``, and what is to be."""
        raised = self._history.raised if self._history else ()
        return (*raised, *(self._extension.given.sets if self._extension else ()))

    @property
    def already_finished(self) -> bool:
        """Whether there is a finished run of this id and configuration; `execute` gives its result.

        Raises:
            RunStateError: There is a run of this id that is unfinished, or not of this configuration.
            WorkspaceError: It cannot be read.
        """
        if self.resumed or not is_begun(self.run_dir):
            return False
        finished_before(self._prepared)
        return True

    @property
    def loaded(self) -> LoadedConfig:
        """Its configuration."""
        return self._prepared.loaded

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What the configuration says that has no effect."""
        return self._prepared.loaded.warnings

    @property
    def chosen(self) -> Sequence[LoadedPlugin]:
        """The plugins that it selects."""
        return self._prepared.loaded_plugins()

    def check(self) -> None:
        """Build every plugin, which does no IO, and let go of it again.

        Raises:
            ConfigError: A plugin finds that its table cannot be used.
            PluginError: A plugin does not build.
        """
        build(self._prepared)
        build_store(self._prepared)

    @property
    def scenario(self) -> Scenario | None:
        """The scenario that its configuration names.

        Raises:
            PluginError: It cannot be used; says where it stands.
        """
        name = self._prepared.config.run.scenario
        if name is None:
            return None
        try:
            return self._prepared.plugins.scenario(name)
        except PluginError as error:
            error.message = str(locate_problem(self.loaded, "run.scenario", error.message))
            error.args = (error.message,)
            raise

    @property
    def awaits_preflight(self) -> bool:
        """Whether `execute` begins with the preflight of a scenario.

        A run that goes on, that is finished, or that is answered by its cache alone does not.
        """
        named = self._prepared.config.run.scenario is not None
        offline = self._prepared.config.cache.mode == "readonly"
        return named and not offline and not self.resumed and not is_begun(self.run_dir)

    def preflight(
        self, scenario: str | None = None, *, on_check: Callable[[Check], None] | None = None
    ) -> tuple[Check, ...]:
        """Look whether a run can do its work: tools, variables, and one rollout of the seed.

        That rollout is on nobody's books. Nothing is written in the run's directory.

        Args:
            scenario: The scenario that says what is needed; the one of the configuration where ``None``.
            on_check: Called with each check once it is known.

        Raises:
            PreflightError: Names all that is wrong.
            ScenarioNotFoundError: There is no such scenario, or none is named.
        """
        found = self.scenario if scenario is None else self._prepared.plugins.scenario(scenario)
        if found is None:
            raise ScenarioNotFoundError(
                "the configuration names no scenario", hint='write scenario = "…" into [run]'
            )
        return preflight(self._prepared, found, on_check)

    def execute(
        self,
        *,
        listeners: Sequence[Listener] = (),
        handle_signals: bool = False,
        on_interrupt: Callable[[], None] | None = None,
    ) -> GepaRunResult:
        """Run to the end and give what it came to; what is finished already is replayed and costs nothing.

        Args:
            listeners: Told of every event; of those on record too when the run is resumed.
            handle_signals: Let SIGINT and SIGTERM interrupt the run; a second one stops it at once. Only in
                the main thread, and not from within a running loop.
            on_interrupt: Called when the first signal arrives.

        Raises:
            GepaError: The run failed, was cancelled or interrupted; what it came to is in its directory.
        """
        if handle_signals:
            _check_signals_can_be_handled()
        session = Session(self._prepared, listeners, on_interrupt, handle_signals)
        try:
            if self.awaits_preflight:
                self.preflight()
            if self._history is None:
                return session.start()
            return session.resume(self._history, self._extension.given if self._extension else None)
        except ConfigError as error:
            raise self._placed(error) from error

    def _placed(self, error: ConfigError) -> ConfigError:
        """Say where in the file the trouble is that only the container could show."""
        problems = tuple(
            locate_problem(self.loaded, problem.path, problem.message, problem.hint)
            for problem in error.problems
        )
        placed = ConfigError(error.message, hint=error.hint, problems=problems)
        placed.run_dir = error.run_dir
        return placed


def _check_signals_can_be_handled() -> None:
    if threading.current_thread() is threading.main_thread():
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
    raise GepaError(
        "signals can be handled in the main thread alone, and not from within a running loop",
        hint="leave handle_signals out",
    )
