"""Rebuilding: everything that is derived, made again from a journal that is proved first."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

import attrs

from gepa_framework.app import files
from gepa_framework.app.artifacts import keep_artifacts
from gepa_framework.app.cache_record import cache_profile
from gepa_framework.app.chronicle import Chronicle
from gepa_framework.app.exports import derived_files, manifest
from gepa_framework.app.history import History
from gepa_framework.app.request_proof import RequestProof
from gepa_framework.app.result import GepaRunResult
from gepa_framework.app.status.freshness import read_manifest
from gepa_framework.app.status.registry import is_told, registered_rows
from gepa_framework.app.status.source import Source
from gepa_framework.engine import Machine
from gepa_framework.errors import WorkspaceError
from gepa_framework.types import JSONObject
from gepa_framework.workspace import (
    FAILPOINTS,
    Journal,
    WorkspaceLock,
    check_nothing_is_lost,
    feed_line,
    feeds,
    file_errors,
    normalised_line,
    read_standing,
    rebuild_database,
)


@attrs.frozen
class Rebuilt:
    """What was made again.

    Attributes:
        run_id: The run's name.
        run_dir: Its directory.
        inputs: Inputs of the journal, each proved.
        events: Events, each proved.
        changed: What was not as it should be: ``schema``, ``views``, ``checkpoints``, and names of files.
        kept: Files that were as they should be.
    """

    run_id: str
    run_dir: Path
    inputs: int
    events: int
    changed: tuple[str, ...]
    kept: tuple[str, ...]

    def to_dict(self) -> JSONObject:
        """Give it as JSON."""
        return {**attrs.asdict(self), "run_dir": str(self.run_dir)}


def rebuild_workspace(run_dir: str | Path) -> Rebuilt:
    """Prove the journal of a run by a replay, and make everything again that is derived from it.

    Each file is replaced whole, and the database changes in one transaction; what is as it should be stays as
    it is. Killed at any moment, it can be called again.

    Args:
        run_dir: The run's directory.

    Raises:
        WorkspaceLockedError: Somebody works on the run.
        WorkspaceError: The journal is damaged, or ends before its feeds; names the row. Nothing was changed.
        ReplayDivergenceError: An event is not what follows from the inputs; nothing was changed.
        ConfigError: The configuration of the run cannot be used any more.
        PluginError: A plugin that it selects cannot be used any more.
    """
    lock = WorkspaceLock(_existing(Path(run_dir)))
    try:
        return _Rebuilding(Path(run_dir)).done()
    finally:
        lock.release()


def _existing(run_dir: Path) -> Path:
    if not any((run_dir / name).is_file() for name in (files.WORKSPACE, files.STORE)):
        raise WorkspaceError(f"{run_dir} is not the directory of a run", hint="name the directory of a run")
    return run_dir


class _Rebuilding:
    """One rebuilding of one run, which nobody else works on."""

    def __init__(self, run_dir: Path) -> None:
        self._given = run_dir
        self._history = History.read(_as_written(run_dir))
        self._run_dir = self._history.run_dir
        self._machine = self._history.machine()
        self._chronicle = Chronicle()
        self._changed: list[str] = []
        self._kept: list[str] = []

    def done(self) -> Rebuilt:
        """Do the work."""
        with closing(self._history.journal()) as journal:
            inputs, events = journal.inputs, journal.events
            check_nothing_is_lost(self._run_dir, events)
            self._prove(journal)
            for path, render in zip(feeds(self._run_dir), (feed_line, normalised_line), strict=True):
                self._settle_feed(path, map(render, journal.lines()))
        source = Source.of(self._run_dir)
        if source.database is not None:
            self._changed += rebuild_database(source.database)
        self._export(source)
        if self._changed:
            # What a check had found before says nothing of what is there now.
            (self._run_dir / files.CHECK).unlink(missing_ok=True)
        return Rebuilt(
            self._history.present.run_id,
            self._given,
            inputs,
            events,
            tuple(self._changed),
            tuple(self._kept),
        )

    def _prove(self, journal: Journal) -> None:
        requests = RequestProof(journal)
        for event in self._history.replay(self._machine, journal, requests.hold):
            self._chronicle.on_event(event)

    def _export(self, source: Source) -> None:
        with source.connection() as database:
            standing = read_standing(database)
        profile = cache_profile(self._run_dir, standing)
        texts = {files.CACHE_PROFILE: files.json_text(profile)} if profile is not None else {}
        for name, text in {**texts, **derived_files(self._machine.run, self._chronicle)}.items():
            self._settle_text(name, text)
        keep_artifacts(self._run_dir)
        result = _result(self._history, self._machine, self._chronicle)
        self._settle_text(files.MANIFEST, files.json_text(manifest(result)))
        self._register(result)

    def _register(self, result: GepaRunResult) -> None:
        """Have the registry say how the run stands, where it does not."""
        rows = registered_rows(self._run_dir)
        if rows and is_told(str(rows[-1].get("status")), result.status):
            return
        row = {"run_id": result.run_id, "status": result.status, "run_dir": str(self._run_dir)}
        best = {"best_candidate_id": result.best_candidate_id, "cost_usd": result.cost_usd}
        files.append_line(result.run_registry_path, files.stamped({**row, **best}))
        self._changed.append(files.REGISTRY)

    def _settle_feed(self, path: Path, lines: Iterable[str]) -> None:
        self._settle(path, lambda file: file.writelines(lines))

    def _settle_text(self, name: str, text: str) -> None:
        self._settle(self._run_dir / name, lambda file: file.write(text))

    def _settle(self, path: Path, write: Callable[[IO[str]], object]) -> None:
        """Write a file beside the one that is there, and put it in its place if it is another."""
        draft = path.with_name(f".{path.name}.new")
        with file_errors(path):
            try:
                with draft.open("w", encoding="utf-8", errors="surrogatepass") as file:
                    write(file)
                    file.flush()
                    os.fsync(file.fileno())
                if path.is_file() and filecmp.cmp(draft, path, shallow=False):
                    self._kept.append(path.name)
                    return
                FAILPOINTS.passed("before_export")
                draft.replace(path)
                FAILPOINTS.passed("after_export")
                self._changed.append(path.name)
            finally:
                draft.unlink(missing_ok=True)


def _as_written(run_dir: Path) -> Path:
    """Give the directory in the words of the run itself, which its files repeat."""
    told = (str(row.get("run_dir")) for row in registered_rows(run_dir))
    for path in map(Path, told):
        with suppress(OSError):
            if path.samefile(run_dir):
                return path
    return run_dir


def _result(history: History, machine: Machine, chronicle: Chronicle) -> GepaRunResult:
    """Give the result; what ended a leg and is not in the journal is what its manifest said."""
    result = history.result(machine, chronicle)
    if machine.status.terminal:
        return result
    told = read_manifest(history.run_dir) or {}
    if told.get("events") != result.events or told.get("status") not in ("failed", "interrupted"):
        return attrs.evolve(result, status="interrupted")
    return attrs.evolve(result, status=told["status"], failure=told.get("failure"))
