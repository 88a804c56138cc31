"""Checking a workspace: every invariant, every link of the journal, and everything that is derived."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import attrs

from gepa_framework.app.feed_proof import FeedProof
from gepa_framework.app.status.freshness import Freshness, Projection, projections, read_manifest
from gepa_framework.app.status.record import state_of
from gepa_framework.app.status.reports import MOST, Report, write_report
from gepa_framework.app.status.source import Source, find_sources
from gepa_framework.app.stores import recorded_store
from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.errors import ExitCode, GepaError, InvariantError, WorkspaceError
from gepa_framework.types import JSONObject, Store
from gepa_framework.workspace import (
    INVARIANTS,
    REVISION,
    Journal,
    Standing,
    Violation,
    check_revision,
    feeds,
    holder_of,
    read_database,
    read_standing,
    violations,
)

#: Lines of what SQLite finds wrong with a file that are told.
_TOLD = 20
_RESTORE = "restore the workspace from a backup: nothing else can tell what was there"


@attrs.frozen
class WorkspaceCheck:
    """What a check of a workspace came to.

    Attributes:
        run_id: The run's name.
        run_dir: Its directory.
        state: Where it stands.
        damage: What is wrong with the file or with the chain of the journal, a sentence each.
        report: Whether the invariants hold.
        violations: Every row that violates one.
        projections: How far everything that is derived has come.
        unkept: Why the report could not be left in the run's directory; empty where it was.
    """

    run_id: str
    run_dir: Path
    state: str
    damage: tuple[str, ...]
    report: Report
    violations: tuple[Violation, ...]
    projections: tuple[Projection, ...]
    unkept: str = ""

    @property
    def stale(self) -> tuple[Projection, ...]:
        """What should be as far as the journal and is not: once a run is over, all that is not fresh."""
        if self.state in ("running", "created", "interrupted"):
            return tuple(each for each in self.projections if each.status is Freshness.AHEAD)
        return tuple(each for each in self.projections if each.status is not Freshness.FRESH)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.exit_code is ExitCode.OK

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with: the worst of what was found."""
        if self.damage:
            return WorkspaceError.exit_code
        if self.violations:
            return InvariantError.exit_code
        return ExitCode.FAILED if self.stale else ExitCode.OK

    @property
    def error(self) -> GepaError | None:
        """The error that this comes to, if there is one."""
        if self.damage:
            return WorkspaceError(self.damage[0], hint=_RESTORE)
        if self.violations:
            first, more = self.violations[0], len(self.violations) - 1
            told = f"{first.subject_type} {first.subject_id}: {first.message} ({first.invariant_id})"
            return InvariantError(told + (f", and {more} more" if more else ""), hint=first.hint)
        if self.stale:
            names = ", ".join(each.projection_name for each in self.stale)
            return WorkspaceError(
                f"not as far as the journal: {names}", hint=f"gepa workspace rebuild {self.run_dir}"
            )
        return None

    def to_dict(self) -> JSONObject:
        """Give it as JSON."""
        return {
            "ok": self.ok,
            "run_id": self.run_id,
            "run_dir": str(self.run_dir),
            "state": self.state,
            "damage": list(self.damage),
            "invariant_report": self.report.to_dict(),
            "violations": [_plain(each) for each in self.violations],
            "projection_freshness": [each.to_dict() for each in self.projections],
            "unkept": self.unkept,
        }


def check_workspace(path: str | Path) -> WorkspaceCheck:
    """Check a workspace, also while its run goes on. A report is left in the run's directory.

    Args:
        path: The directory of a run, or its ``workspace.sqlite``.

    Raises:
        WorkspaceError: It is no run, or so damaged that nothing of it can be read.
        PluginError: Its store cannot be used.
    """
    sources, several = find_sources(Path(path))
    if several:
        raise WorkspaceError(f"{path} is no run", hint="name the directory of one run")
    return _Check(sources[0]).result()


class _Check:
    """One check of one run."""

    def __init__(self, source: Source) -> None:
        self._source = source
        # Files first: whatever they tell is in the journal already, even of a run that goes on.
        self._holder = holder_of(source.run_dir)
        self._manifest = read_manifest(source.run_dir) or {}
        self._feeds = {path.name: FeedProof(source.run_dir, path.name) for path in feeds(source.run_dir)}

    def result(self) -> WorkspaceCheck:
        """Do the work."""
        damage = tuple(self._file_damage())
        if damage:
            # Of a file that is damaged, no answer can be relied on.
            return self._broken(damage)
        with self._source.connection() as database:
            found = tuple(violations(database))
            standing = _standing(database)
        damage, wrong = self._prove_journal()
        if standing is None:
            return self._broken(damage or ("what is on record cannot be counted",), found)
        state = state_of(standing, self._holder, self._manifest)
        derived = projections(self._source, standing, state, thorough=True)
        report = _report(standing, found)
        return WorkspaceCheck(
            run_id=standing.meta.get("run_id", ""),
            run_dir=self._source.run_dir,
            state=state,
            damage=damage,
            report=report,
            violations=found,
            projections=tuple(_corrected(each, wrong.get(each.projection_name, "")) for each in derived),
            unkept=self._keep(report),
        )

    def _broken(self, damage: tuple[str, ...], found: tuple[Violation, ...] = ()) -> WorkspaceCheck:
        run_dir = self._source.run_dir
        return WorkspaceCheck(run_dir.name, run_dir, "unreadable", damage, Report(), found, ())

    def _file_damage(self) -> Iterator[str]:
        path = self._source.database
        if path is None:
            return
        with closing(read_database(path)) as database:
            try:
                yield from _integrity(database, path)
            except sqlite3.Error as error:
                yield f"{path}: {error}"
                return
            found = check_revision(database, path)
        if found < REVISION:
            raise WorkspaceError(
                f"{path} has schema {found}, and invariants are of schema {REVISION}",
                hint=f"gepa workspace rebuild {self._source.run_dir} brings it there",
            )

    def _prove_journal(self) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """Follow the chain, and hold the feeds against the events; give what is wrong with either."""
        wrong: dict[str, str] = {}
        try:
            with closing(Journal.open(self._store(), readonly=True)) as journal:
                journal.check_meta()
                for _ in journal.load():
                    pass
                wrong = {name: _differs(proof, journal) for name, proof in self._feeds.items()}
        except (WorkspaceError, ValueError, KeyError, TypeError) as error:
            return (error.message if isinstance(error, WorkspaceError) else str(error),), {}
        return (), wrong

    def _store(self) -> Store:
        if self._source.database is not None:
            return SqliteStore(self._source.database)
        return recorded_store(self._source.run_dir, accept_changed_plugins=True)

    def _keep(self, report: Report) -> str:
        try:
            write_report(self._source.run_dir, report)
        except GepaError as error:
            return error.message
        return ""


def _standing(database: sqlite3.Connection) -> Standing | None:
    """Read where a run stands, by what checkpoints say or, where they are damaged, by all rows."""
    for afresh in (False, True):
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            return read_standing(database, afresh=afresh)
    return None


def _integrity(database: sqlite3.Connection, path: Path) -> Iterator[str]:
    rows = database.execute(f"PRAGMA integrity_check({_TOLD})")
    yield from (f"{path}: {told}" for (told,) in rows if told != "ok")
    broken = itertools.islice(database.execute("PRAGMA foreign_key_check"), _TOLD)
    yield from (
        f"{path}: row {rowid} of {table} belongs to no row of {parent}" for table, rowid, parent, _ in broken
    )


def _corrected(projection: Projection, wrong: str) -> Projection:
    """Give a projection with what was found to be wrong in it; none of it can be relied on then."""
    if not wrong:
        return projection
    ahead = projection.status is Freshness.AHEAD
    status, count = (projection.status, projection.projected_count) if ahead else (Freshness.STALE, 0)
    return attrs.evolve(projection, status=status, projected_count=count, details=wrong)


def _differs(proof: FeedProof, journal: Journal) -> str:
    try:
        proof.hold(journal.lines())
    except WorkspaceError as error:
        return error.message
    return ""


def _report(standing: Standing, found: Sequence[Violation]) -> Report:
    violated = tuple(dict.fromkeys(each.invariant_id for each in found))
    return Report(
        status="violated" if violated else "passed",
        current=True,
        invariants=len(INVARIANTS),
        violated=violated,
        violation_count=len(found),
        violations=tuple(map(_plain, found[:MOST])),
        inputs=standing.inputs,
        events=standing.events,
        chain=standing.chain,
    )


def _plain(violation: Violation) -> JSONObject:
    return {**attrs.asdict(violation), "severity": violation.severity.value}
