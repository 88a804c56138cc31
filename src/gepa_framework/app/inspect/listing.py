"""The runs below a directory, one row each; a run that cannot be read is a row too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from gepa_framework.app.inspect.glimpse import Glimpse, glimpse
from gepa_framework.app.inspect.sizes import files_below
from gepa_framework.app.inspect.standing import is_run
from gepa_framework.errors import GepaError, WorkspaceError
from gepa_framework.workspace import file_errors, holder_of


@attrs.frozen
class RunRow:
    """One run.

    Attributes:
        run_id: Its name.
        run_dir: Its directory.
        status: As in `Standing`, or ``unreadable``.
        holder: Who works on it at this moment; empty where nobody does.
        best_candidate_id: Its best candidate; empty while there is none.
        best_score: Its mean reward on the Pareto rows.
        best_stderr: Standard error of that mean.
        verdict: On the heldout rows; empty until they are in.
        rollouts: Rollouts on record.
        cost_usd: US dollars; ``None`` when any part of it is unknown.
        known_usd: What is known of it.
        age_seconds: Time since a file of it was last written.
        bytes: What its files take.
        problem: Why it cannot be read; empty where it can.
    """

    run_id: str
    run_dir: str
    status: str
    holder: str
    best_candidate_id: str
    best_score: float | None
    best_stderr: float | None
    verdict: str
    rollouts: int
    cost_usd: float | None
    known_usd: float
    age_seconds: float
    bytes: int
    problem: str = ""


def run_dirs(directory: Path) -> list[Path]:
    """Give the directories of the runs that stand directly in a directory, by name.

    Raises:
        WorkspaceError: The directory cannot be read.
    """
    if not directory.is_dir():
        raise WorkspaceError(f"{directory} is no directory", hint="name the directory that holds the runs")
    with file_errors(directory):
        return sorted(path for path in directory.iterdir() if path.is_dir() and is_run(path))


def list_runs(directory: Path) -> list[RunRow]:
    """Give a row for each run in a directory, the one written last first; raises what `run_dirs` raises."""
    return sorted(_rows(directory), key=lambda row: row.age_seconds)


def _rows(directory: Path) -> Iterator[RunRow]:
    now = time.time()
    for path in run_dirs(directory):
        found = list(files_below(path))
        written = max((each.modified for each in found), default=now)
        yield _row(path, max(now - written, 0.0), sum(each.bytes for each in found))


def _row(path: Path, age: float, size: int) -> RunRow:
    try:
        return _readable(path, glimpse(path), age, size)
    except (GepaError, ValueError, KeyError, TypeError, AttributeError) as error:
        # One bad run must not take the list of the others away.
        told = error.message if isinstance(error, GepaError) else f"not what was written: {error!r}"
        return _unreadable(path, told, age, size)


def _readable(path: Path, seen: Glimpse, age: float, size: int) -> RunRow:
    return RunRow(
        run_id=seen.run_id,
        run_dir=str(path),
        status=seen.standing.status,
        holder=seen.standing.holder,
        best_candidate_id=seen.best_candidate_id,
        best_score=seen.best_score,
        best_stderr=seen.best_stderr,
        verdict=seen.verdict,
        rollouts=seen.rollouts,
        cost_usd=seen.cost_usd,
        known_usd=seen.known_usd,
        age_seconds=age,
        bytes=size,
    )


def _unreadable(path: Path, problem: str, age: float, size: int) -> RunRow:
    return RunRow(
        run_id=path.name,
        run_dir=str(path),
        status="unreadable",
        holder=_holder(path),
        best_candidate_id="",
        best_score=None,
        best_stderr=None,
        verdict="",
        rollouts=0,
        cost_usd=None,
        known_usd=0.0,
        age_seconds=age,
        bytes=size,
        problem=problem,
    )


def _holder(path: Path) -> str:
    try:
        return holder_of(path)
    except WorkspaceError:
        return ""
