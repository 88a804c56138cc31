"""The history of a run: what it was begun with, how it was extended since, and its replay."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import attrs

from gepa_framework.app.building import build_stoppers
from gepa_framework.app.chronicle import Chronicle
from gepa_framework.app.exports import make_result
from gepa_framework.app.prepare import Prepared, prepare_text
from gepa_framework.app.result import GepaRunResult
from gepa_framework.app.stores import read_journal
from gepa_framework.engine import Extend, Limits, Machine, Step
from gepa_framework.errors import RunStateError
from gepa_framework.plugins import Plugins
from gepa_framework.runtime import replay
from gepa_framework.types import Event
from gepa_framework.workspace import Glance, Journal, Stored, glance


@attrs.frozen
class History:
    """A run as its workspace records it.

    Attributes:
        run_dir: Its directory.
        record: What the journal tells at first sight.
        stages: The run as it was begun, and as it was after each extension.
    """

    run_dir: Path
    record: Glance
    stages: tuple[Prepared, ...] = attrs.field(repr=False)

    @classmethod
    def read(cls, run_dir: Path, *, accept_changed_plugins: bool = True) -> History:
        """Read what is on record of a run; nothing is written, and the chain is not followed yet.

        Args:
            run_dir: The run's directory.
            accept_changed_plugins: Ask the store though it is not the one that the run was started with.

        Raises:
            WorkspaceError: There is no run, or it cannot be read.
            PluginLockError: The store is not the one that the run was started with.
            ConfigError: Its configuration cannot be used any more.
            PluginError: A plugin that it selects cannot be used any more.
        """
        with closing(read_journal(run_dir, accept_changed_plugins=accept_changed_plugins)) as journal:
            record = glance(journal)
        return cls(run_dir, record, tuple(_stages(run_dir, record)))

    def journal(self) -> Journal:
        """Open the journal as it is now for reading; raises what `read` raises."""
        return read_journal(self.run_dir)

    @property
    def present(self) -> Prepared:
        """The run as it is now."""
        return self.stages[-1]

    @property
    def limits(self) -> Limits:
        """The limits that hold now."""
        return self.record.extensions[-1].limits if self.record.extensions else self.stages[0].plan.limits

    @property
    def raised(self) -> tuple[str, ...]:
        """Everything that was raised, as ``key=value``, oldest first."""
        return tuple(argument for extension in self.record.extensions for argument in extension.sets)

    def compare_plugins(self) -> None:
        """Hold the installed plugins against those that the run was started with.

        Raises:
            PluginLockError: They differ.
        """
        now = json.dumps(self.stages[0].lock(), default=dict)
        Plugins.compare_lock(json.loads(self.record.meta["plugins_lock"]), json.loads(now))

    def prepare(self, sets: tuple[str, ...]) -> Prepared:
        """Prepare the run as it would be with more overrides than it has now."""
        return _prepare(self.run_dir, self.record.meta, (*self.raised, *sets))

    def machine(self) -> Machine:
        """Give a machine at the run's beginning."""
        return Machine(self.stages[0].plan, build_stoppers(self.stages[0]))

    def result(self, machine: Machine, chronicle: Chronicle) -> GepaRunResult:
        """Give the result of the run as the record tells it, once it was replayed."""
        return make_result(
            machine,
            chronicle,
            run_id=self.present.run_id,
            run_dir=self.run_dir,
            status=machine.status.value,
            error=machine.failure,
            store_location=self.record.location,
        )

    def replay(
        self, machine: Machine, journal: Journal, proved: Callable[[Step], object] = lambda _: None
    ) -> Iterator[Event]:
        """Bring a machine to the end of the journal, and give each event as it is proved, and each step.

        Raises:
            WorkspaceError: The journal is damaged.
            ReplayDivergenceError: The machine decided otherwise than is on record.
        """
        return replay(machine, self._stored(journal), proved)

    def _stored(self, journal: Journal) -> Iterator[Stored]:
        known = list(zip(self.record.extensions, self.stages[1:], strict=True))
        met = 0
        for stored in journal.load():
            given = stored.given
            if isinstance(given, Extend):
                if met == len(known) or known[met][0] != given:
                    raise RunStateError(
                        f"the run in {self.run_dir} was extended in this very moment", hint="try again"
                    )
                yield attrs.evolve(stored, given=attrs.evolve(given, stoppers=build_stoppers(known[met][1])))
                met += 1
            else:
                yield stored


def _stages(run_dir: Path, record: Glance) -> Iterator[Prepared]:
    sets: tuple[str, ...] = ()
    yield _prepare(run_dir, record.meta, sets)
    for extension in record.extensions:
        sets += extension.sets
        yield _prepare(run_dir, record.meta, sets)


def _prepare(run_dir: Path, meta: Mapping[str, str], sets: tuple[str, ...]) -> Prepared:
    return prepare_text(
        meta["config_text"],
        file=meta["config_file"],
        base_dir=Path(meta["base_dir"]),
        sets=[*json.loads(meta["sets"]), *sets],
        environ={},
        run_id=meta["run_id"],
        run_dir=run_dir,
    )
