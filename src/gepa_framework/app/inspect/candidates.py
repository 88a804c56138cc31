"""The candidates of a run, with all that was decided and measured of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import attrs

from gepa_framework.app.inspect.frontier import Frontier
from gepa_framework.app.inspect.record import Record
from gepa_framework.app.inspect.rollouts import NANO, Sums


@attrs.frozen
class Score:
    """A mean reward.

    Attributes:
        score: The mean; ``None`` where no row was scored.
        stderr: Its standard error; ``None`` for fewer than two scores.
        coverage: Rows scored.
        rows: Rows asked for.
    """

    score: float | None
    stderr: float | None
    coverage: int
    rows: int


@attrs.frozen
class Decision:
    """Why a child was let in or not.

    Attributes:
        accepted: Whether it was let in.
        parent_id: What it was compared with.
        iteration: When.
        rule: The acceptance rule.
        reason: Why it was rejected; empty where it was accepted.
        before: Sum of the parent's rewards on the rows compared.
        after: Sum of the child's.
        delta: The difference.
        rows: Rows compared.
        p: Probability of such a difference by luck, where the rule tests for it.
        evidence: What a sequential rule had gathered.
        criterion: ``primary``, or how objectives weighed in.
        objective_deltas: How named objectives changed.
    """

    accepted: bool
    parent_id: str
    iteration: int
    rule: str
    reason: str
    before: float | None
    after: float | None
    delta: float | None
    rows: int
    p: float | None
    evidence: float | None
    criterion: str
    objective_deltas: Mapping[str, float | None]


@attrs.frozen
class Spent:
    """What the rollouts of a candidate took.

    Attributes:
        rollouts: Rollouts on record, failed ones included.
        failed: Those that gave no score.
        cost_usd: US dollars of the scored ones; ``None`` when any of it is unknown.
        total_tokens: Tokens of the scored ones; ``None`` when any of it is unknown.
        stages: Stage to rollouts.
    """

    rollouts: int = 0
    failed: int = 0
    cost_usd: float | None = 0.0
    total_tokens: int | None = 0
    stages: Mapping[str, int] = attrs.field(factory=dict)


@attrs.frozen
class Candidate:
    """A candidate.

    Attributes:
        candidate_id: Its id.
        number: Its place in the order of registration, from 0.
        parent_ids: What it came from; empty for the seed.
        iteration: When it was registered; 0 for the seed.
        source: ``seed``, ``proposer`` or ``merge``.
        status: ``seed``, ``accepted``, ``rejected``, or ``registered`` while it is not decided.
        components: Component name to text.
        changed: Components whose text is not that of the first parent.
        rationale: The proposer's reason.
        decision: Why it was accepted or rejected; ``None`` for the seed, and while that is open.
        pareto: Its mean reward on the Pareto rows; ``None`` where they were not rolled out in full.
        heldout: Its mean reward on the heldout rows; ``None`` where it was not measured there.
        pooled: Whether it joined the pool.
        survivor: Whether it is in the reduced frontier, from which parents are drawn.
        owns: Cells of the frontier on which it alone is the best.
        shares: Cells on which it is among several that are best.
        spent: What its rollouts took.
    """

    candidate_id: str
    number: int
    parent_ids: tuple[str, ...]
    iteration: int
    source: str
    status: str
    components: Mapping[str, str] = attrs.field(repr=False)
    changed: tuple[str, ...]
    rationale: str
    decision: Decision | None
    pareto: Score | None
    heldout: Score | None
    pooled: bool
    survivor: bool
    owns: tuple[str, ...]
    shares: tuple[str, ...]
    spent: Spent


def candidates_of(record: Record, frontier: Frontier) -> tuple[Candidate, ...]:
    """Give every candidate in the order of registration."""
    known = _Known(record)
    bodies = _by_candidate(record, "candidate.registered").values()
    return tuple(known.candidate(number, body, frontier) for number, body in enumerate(bodies))


class _Known:
    def __init__(self, record: Record) -> None:
        self._decided = {
            fact.body["candidate_id"]: (fact.type == "candidate.accepted", fact.body)
            for fact in record.of("candidate.accepted", "candidate.rejected")
        }
        self._pareto = _by_candidate(record, "candidate.evaluated")
        self._heldout = _by_candidate(record, "heldout.completed")
        self._pooled = set(_by_candidate(record, "frontier.updated"))
        self._spent = _spent(record)

    def candidate(self, number: int, body: Mapping[str, Any], frontier: Frontier) -> Candidate:
        name = body["candidate_id"]
        decision = _decision(self._decided.get(name))
        return Candidate(
            candidate_id=name,
            number=number,
            parent_ids=tuple(body["parent_ids"]),
            iteration=body["iteration"],
            source=body["source"],
            status=_status(body, decision),
            components=dict(body["components"]),
            changed=tuple(body["changed"]),
            rationale=body["rationale"],
            decision=decision,
            pareto=_score(self._pareto.get(name)),
            heldout=_score(self._heldout.get(name)),
            pooled=name in self._pooled,
            survivor=name in frontier.survivors,
            owns=frontier.owned(name),
            shares=frontier.shared(name),
            spent=self._spent.get(name, Spent()),
        )


def _by_candidate(record: Record, name: str) -> dict[str, Mapping[str, Any]]:
    return {fact.body["candidate_id"]: fact.body for fact in record.of(name)}


def _status(body: Mapping[str, Any], decision: Decision | None) -> str:
    if decision is not None:
        return "accepted" if decision.accepted else "rejected"
    return "registered" if body["parent_ids"] else "seed"


def _decision(found: tuple[bool, Mapping[str, Any]] | None) -> Decision | None:
    if found is None:
        return None
    accepted, body = found
    return Decision(
        accepted=accepted,
        parent_id=body["parent_id"],
        iteration=body["iteration"],
        rule=body["rule"],
        reason=body.get("reason", ""),
        before=body["before"],
        after=body["after"],
        delta=body["delta"],
        rows=body["rows"],
        p=body.get("p"),
        evidence=body.get("evidence"),
        criterion=body.get("criterion", "primary"),
        objective_deltas=dict(body.get("objective_deltas", {})),
    )


def _score(body: Mapping[str, Any] | None) -> Score | None:
    if body is None:
        return None
    return Score(body["score"], body.get("stderr"), body["coverage"], body["rows"])


def _spent(record: Record) -> dict[str, Spent]:
    found: dict[str, dict[str, Sums]] = defaultdict(dict)
    for (name, stage), sums in record.rollouts.sums.items():
        found[name][stage] = sums
    return {name: _summed(stages) for name, stages in found.items()}


def _summed(stages: Mapping[str, Sums]) -> Spent:
    total = Sums()
    for sums in stages.values():
        total.add(sums)
    return Spent(
        rollouts=total.calls,
        failed=total.failed,
        cost_usd=None if total.unpriced else total.nano_usd / NANO,
        total_tokens=None if total.uncounted else total.tokens,
        stages={stage: sums.calls for stage, sums in stages.items()},
    )
