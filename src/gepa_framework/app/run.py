"""`GepaRun`: the one object that users of the Python API hold."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from gepa_framework.app.building import build, build_store
from gepa_framework.app.prepare import Prepared, prepare_file, prepare_text
from gepa_framework.app.result import GepaRunResult
from gepa_framework.app.session import Session
from gepa_framework.app.stores import recorded_meta
from gepa_framework.config import LoadedConfig, locate_problem
from gepa_framework.engine import Plan
from gepa_framework.engine.setup import check_budget
from gepa_framework.errors import ConfigError, GepaError, Problem
from gepa_framework.plugins import LoadedPlugin, Plugins
from gepa_framework.types import Listener


@attrs.frozen
class GepaRun:
    """A run that is described and checked, and not begun yet.

    >>> result = GepaRun.from_toml("gepa.toml").execute()  # doctest: +SKIP
    >>> print(result.best_candidate)  # doctest: +SKIP
    """

    _prepared: Prepared
    resumed: bool = False

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
        return cls(prepared)

    @classmethod
    def resume(cls, run_dir: str | Path, *, accept_changed_plugins: bool = False) -> GepaRun:
        """Take up a run where its journal ends.

        Args:
            run_dir: The run's directory.
            accept_changed_plugins: Go on with other plugins than those that the run was started with.

        Raises:
            WorkspaceError: There is no run, or it cannot be read.
            PluginLockError: The plugins are not those that the run was started with.
            PluginError: The store that keeps its journal cannot be used.
        """
        directory = Path(run_dir)
        meta = recorded_meta(directory, accept_changed_plugins=accept_changed_plugins)
        prepared = prepare_text(
            meta["config_text"],
            file=meta["config_file"],
            base_dir=Path(meta["base_dir"]),
            sets=json.loads(meta["sets"]),
            environ={},
            run_id=meta["run_id"],
            run_dir=directory,
        )
        if not accept_changed_plugins:
            Plugins.compare_lock(json.loads(meta["plugins_lock"]), json.loads(_text(prepared)))
        return cls(prepared, resumed=True)

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
        """What it is decided by."""
        return self._prepared.plan

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

    def execute(
        self,
        *,
        listeners: Sequence[Listener] = (),
        handle_signals: bool = False,
        on_interrupt: Callable[[], None] | None = None,
    ) -> GepaRunResult:
        """Run to the end and give what it came to.

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
            return session.resume() if self.resumed else session.start()
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


def _text(prepared: Prepared) -> str:
    return json.dumps(prepared.lock(), default=dict)
