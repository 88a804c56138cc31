"""What a run comes to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from gepa_framework.app.identities import CandidateScore, Deployment
from gepa_framework.engine import HeldoutScore, ImprovementVerdict
from gepa_framework.types import JSONObject, JSONValue, StopReason, Usage


@attrs.frozen
class GepaRunResult:
    """A run that ended, one way or another, and where its record is.

    Attributes:
        run_id: The run's name.
        run_dir: Its directory.
        status: ``finished``, ``failed``, ``cancelled`` or ``interrupted``.
        best_candidate: Component name to text of the best candidate by the deployment rule; empty when there
            is none yet.
        best_candidate_id: Its id.
        best_score: Its mean reward on the Pareto rows.
        best_stderr: Standard error of that mean; ``None`` for fewer than two scores.
        seed_score: The seed's mean reward on the Pareto rows.
        seed_stderr: Standard error of that mean.
        heldout: ``seed`` and ``best`` on the heldout rows; empty when they were not reached.
        improvement_verdict: Whether the selected candidate is better than the seed; ``None`` until the
            heldout rows are in.
        optimization_selected_candidate: The best by Pareto mean.
        heldout_best_candidate: The best of those measured on the heldout rows, once they are in.
        deployment_candidate: Which of the two is `best_candidate`, once the heldout rows are in.
        heldout_measurements_by_candidate: Seed, selected candidate and ties on the heldout rows.
        stopped_by: Why the search ended.
        iterations: Iterations begun.
        candidates: Candidates in the pool.
        rollouts: Rollouts on record, failed ones included.
        failed_rollouts: Those that gave no score.
        cost_usd: US dollars; ``None`` when any part of it is unknown.
        usage: Everything consumed; each part ``None`` when any of it is unknown.
        unpriced: Boundaries whose cost is not known.
        limits: The hard limits that hold, by name.
        extensions: What was raised since the run began, as ``key=value``.
        events: Events on record.
        failure: Error code and message of a run that failed.
        workspace_db_path: The SQLite file of the journal; ``None`` where another store keeps it.
        store_location: Where the journal is, in the words of its store.
    """

    run_id: str
    run_dir: Path
    status: str
    best_candidate: Mapping[str, str]
    best_candidate_id: str
    best_score: float | None
    best_stderr: float | None
    seed_score: float | None
    seed_stderr: float | None
    heldout: Mapping[str, HeldoutScore]
    improvement_verdict: ImprovementVerdict | None
    optimization_selected_candidate: CandidateScore | None
    heldout_best_candidate: CandidateScore | None
    deployment_candidate: Deployment | None
    heldout_measurements_by_candidate: tuple[CandidateScore, ...]
    stopped_by: StopReason | None
    iterations: int
    candidates: int
    rollouts: int
    failed_rollouts: int
    cost_usd: float | None
    usage: Usage
    unpriced: tuple[str, ...]
    limits: JSONObject
    extensions: tuple[str, ...]
    events: int
    failure: JSONObject | None
    manifest_path: Path
    event_feed_path: Path
    normalized_event_feed_path: Path
    cache_profile_path: Path
    candidate_registry_path: Path
    best_candidate_path: Path
    frontier_path: Path
    score_chart_path: Path
    run_registry_path: Path
    workspace_db_path: Path | None
    artifact_refs: tuple[JSONObject, ...] = ()
    state_history: tuple[JSONObject, ...] = ()
    store_location: str = ""

    def to_dict(self) -> dict[str, JSONValue]:
        """Give the result as JSON."""
        fields = attrs.asdict(self, recurse=True, value_serializer=_plain)
        fields["heldout"] = {role: attrs.asdict(score) for role, score in self.heldout.items()}
        return fields


def _plain(_instance: object, _field: object, value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    return dict(value) if isinstance(value, Mapping) else value
