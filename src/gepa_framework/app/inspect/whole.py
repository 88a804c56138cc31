"""All that is told of a run, put together once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.app.inspect.candidates import Candidate, candidates_of
from gepa_framework.app.inspect.curve import Curve, curve_of
from gepa_framework.app.inspect.decisions import LogEntry, about, log_of
from gepa_framework.app.inspect.frontier import Frontier, Heatmap, frontier_of, heatmap_of
from gepa_framework.app.inspect.names import named
from gepa_framework.app.inspect.overview import Overview, overview_of
from gepa_framework.app.inspect.record import open_record
from gepa_framework.app.inspect.texts import ComponentDiff, diff_components
from gepa_framework.app.inspect.why import Why, why_of


@attrs.frozen
class RunReport:
    """All that is told of a run.

    Attributes:
        overview: The run at a glance.
        curve: The best score over the rollouts.
        candidates: Every candidate, in the order of registration.
        frontier: Who is best where.
        heatmap: The rewards of the pool on the Pareto rows.
        log: What was decided, in its order.
    """

    overview: Overview
    curve: Curve
    candidates: tuple[Candidate, ...]
    frontier: Frontier
    heatmap: Heatmap
    log: tuple[LogEntry, ...]

    def named(self, name: str) -> Candidate:
        """Give a candidate by what it may be called; raises `CandidateNotFoundError`."""
        return named(self.candidates, name, self.overview.best)

    def candidate(self, candidate_id: str) -> Candidate | None:
        """Give a candidate by its id."""
        return next((each for each in self.candidates if each.candidate_id == candidate_id), None)


@attrs.frozen
class Step:
    """One step of a lineage.

    Attributes:
        candidate: The candidate.
        diff: How its components differ from those of its first parent; empty for the seed.
    """

    candidate: Candidate
    diff: tuple[ComponentDiff, ...]


@attrs.frozen
class CandidateStory:
    """A candidate with the way that led to it.

    Attributes:
        overview: The run at a glance.
        candidate: The candidate; ``None`` where none was named and the run has none yet.
        lineage: The way from the seed by first parents, the candidate last.
        log: What was decided of it, and in its iteration.
    """

    overview: Overview
    candidate: Candidate | None
    lineage: tuple[Step, ...]
    log: tuple[LogEntry, ...]


@attrs.frozen
class CandidatesDiff:
    """Two candidates side by side.

    Attributes:
        before: The one.
        after: The other.
        components: How each component differs.
    """

    before: Candidate
    after: Candidate
    components: tuple[ComponentDiff, ...]


def inspect_run(run_dir: Path) -> RunReport:
    """Read all that is told of a run; raises what `open_record` raises."""
    with open_record(run_dir) as record:
        frontier = frontier_of(record)
        return RunReport(
            overview=overview_of(record),
            curve=curve_of(record),
            candidates=candidates_of(record, frontier),
            frontier=frontier,
            heatmap=heatmap_of(record, frontier),
            log=log_of(record),
        )


def look_at_run(run_dir: Path) -> Overview:
    """Look at a run; raises what `open_record` raises."""
    with open_record(run_dir) as record:
        return overview_of(record)


def inspect_candidate(run_dir: Path, name: str | None = None) -> CandidateStory:
    """Read how a candidate came to be.

    Args:
        run_dir: The run's directory.
        name: What the candidate is called; ``None`` for the best one, or the seed while there is no best.

    Raises:
        CandidateNotFoundError: There is no such candidate.
        WorkspaceError: There is no run, or it cannot be read.
    """
    with open_record(run_dir) as record:
        overview = overview_of(record)
        candidates = candidates_of(record, frontier_of(record))
        if name is None and not candidates:
            # A run that has just begun is no mistake of whoever looks at it.
            return CandidateStory(overview, None, (), log_of(record))
        name = name or ("best" if overview.best else "seed")
        candidate = named(candidates, name, overview.best)
        log = about(log_of(record), candidate.candidate_id, candidate.iteration)
        return CandidateStory(overview, candidate, tuple(_lineage(candidates, candidate)), log)


def compare_candidates(run_dir: Path, one: str, other: str) -> CandidatesDiff:
    """Put two candidates side by side; raises what `inspect_candidate` raises."""
    with open_record(run_dir) as record:
        best = overview_of(record).best
        candidates = candidates_of(record, frontier_of(record))
        before, after = named(candidates, one, best), named(candidates, other, best)
        return CandidatesDiff(before, after, diff_components(before.components, after.components))


def explain_candidate(run_dir: Path, name: str) -> Why:
    """Tell why a candidate is where it is; raises what `inspect_candidate` raises."""
    with open_record(run_dir) as record:
        best, frontier = overview_of(record).best, frontier_of(record)
        candidate = named(candidates_of(record, frontier), name, best)
        return why_of(record, candidate, frontier, best)


def _lineage(candidates: Sequence[Candidate], candidate: Candidate) -> Sequence[Step]:
    known = {each.candidate_id: each for each in candidates}
    steps: list[Step] = []
    at: Candidate | None = candidate
    while at is not None and len(steps) <= len(candidates):
        parent = known.get(at.parent_ids[0]) if at.parent_ids else None
        diff = diff_components(parent.components, at.components) if parent else ()
        steps.insert(0, Step(at, tuple(each for each in diff if each.kind != "equal")))
        at = parent
    return steps


def as_json(value: Any) -> dict[str, Any]:
    """Give any of these values as JSON."""
    return attrs.asdict(value, recurse=True, value_serializer=_plain)


def _plain(_instance: object, _field: object, value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value
