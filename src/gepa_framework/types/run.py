"""The run as stoppers see it."""

from __future__ import annotations

import attrs

from gepa_framework.types.json import JSONScalar


@attrs.frozen
class RunView:
    """Where a run stands, cheap to make and impossible to change.

    Attributes:
        iteration: Iterations finished; those under way too when it is asked whether to begin another.
        rollouts: Rollouts finished, heldout ones included.
        candidates: Candidates in the pool, the seed included.
        best_candidate_id: The best so far by mean reward on the Pareto set.
        best_score: Its mean reward; ``None`` before the seed is evaluated.
        iterations_since_improvement: Iterations since the best score last rose.
        elapsed_seconds: Time that the run has been worked on, pauses left out.
        cost_usd: US dollars spent; ``None`` when any part is unknown.
        total_tokens: Tokens consumed; ``None`` when any part is unknown.
        proposals: Proposals asked for.
        in_flight: Iterations under way.
    """

    iteration: int = 0
    rollouts: int = 0
    candidates: int = 0
    best_candidate_id: str = ""
    best_score: float | None = None
    iterations_since_improvement: int = 0
    elapsed_seconds: float = 0.0
    cost_usd: float | None = 0.0
    total_tokens: int | None = 0
    proposals: int = 0
    in_flight: int = 0


@attrs.frozen
class StopReason:
    """Why a run stops.

    Attributes:
        kind: Stable short name, such as ``max_iterations``.
        limit: The limit that was set.
        value: The value that met it.
        message: One sentence for people.
    """

    kind: str
    limit: JSONScalar = None
    value: JSONScalar = None
    message: str = ""
