"""Why a candidate is where it is: its decision, its evidence, its rows and its rollouts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from gepa_framework.app.inspect.candidates import Candidate
from gepa_framework.app.inspect.decisions import number
from gepa_framework.app.inspect.frontier import Frontier
from gepa_framework.app.inspect.overview import Best
from gepa_framework.app.inspect.record import Record


@attrs.frozen
class Comparison:
    """One row on which a child was compared with its parent.

    Attributes:
        row_id: The row.
        before: The parent's reward; ``None`` where it failed or was not asked for.
        after: The child's.
    """

    row_id: str
    before: float | None
    after: float | None


@attrs.frozen
class Origin:
    """Where a candidate comes from.

    Attributes:
        rule: How its parent was selected; empty where nothing was.
        minibatch: Rows that were drawn.
        evidence: Frames of evidence that the proposer was given; ``None`` where none was asked.
        evidence_kinds: Frames by kind, where that is on record.
        model: The model that answered, where one did.
        cost_usd: US dollars of the proposal; ``None`` when unknown.
        total_tokens: Its tokens; ``None`` when unknown.
        ancestor_id: For a merge: what both parents come from.
        sources: For a merge: component to the candidate whose text was taken.
    """

    rule: str = ""
    minibatch: tuple[str, ...] = ()
    evidence: int | None = None
    evidence_kinds: Mapping[str, int] = attrs.field(factory=dict)
    model: str | None = None
    cost_usd: float | None = None
    total_tokens: int | None = None
    ancestor_id: str = ""
    sources: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Why:
    """Why a candidate is where it is.

    Attributes:
        candidate: The candidate.
        decided: Why it was accepted or rejected, in one sentence.
        frontier: Why it is on the frontier or not, in one sentence.
        best: Whether it is the best of the run.
        origin: Where it comes from.
        comparisons: Reward by reward what the decision rests on.
    """

    candidate: Candidate
    decided: str
    frontier: str
    best: bool
    origin: Origin
    comparisons: tuple[Comparison, ...]


#: All of them are between the beginning of the iteration and the decision.
_BETWEEN = """
    SELECT body FROM events WHERE seq BETWEEN ? AND ? AND type = 'rollout.completed' ORDER BY seq"""
_MINIBATCH = ("parent_minibatch", "candidate_minibatch")


def why_of(record: Record, candidate: Candidate, frontier: Frontier, best: Best | None) -> Why:
    """Tell why a candidate is where it is."""
    return Why(
        candidate=candidate,
        decided=_decided(candidate),
        frontier=_frontier(candidate, frontier),
        best=best is not None and best.candidate_id == candidate.candidate_id,
        origin=_origin(record, candidate),
        comparisons=tuple(_comparisons(record, candidate)),
    )


def _decided(candidate: Candidate) -> str:
    decision = candidate.decision
    if decision is None:
        seed = candidate.status == "seed"
        return "it is the seed: nothing was decided" if seed else "nothing is decided yet"
    against = f"{decision.parent_id} on {decision.rows} rows by {decision.rule}"
    numbers = f"{number(decision.before)} -> {number(decision.after)}, delta {number(decision.delta)}"
    for name, value in (("p", decision.p), ("evidence", decision.evidence)):
        numbers += f", {name} {number(value)}" if value is not None else ""
    if decision.accepted:
        return f"accepted against {against}: sum of rewards {numbers}"
    told = f" (sum of rewards {numbers})" if decision.before is not None else ""
    return f"rejected against {against}: {decision.reason}{told}"


def _frontier(candidate: Candidate, frontier: Frontier) -> str:
    if not candidate.pooled:
        return "not on the frontier: it did not join the pool"
    alone, shared = len(candidate.owns), len(candidate.shares)
    cells = f"of {len(frontier.cells)} cells it alone is best on {alone} and shares {shared}"
    if candidate.survivor:
        return f"on the frontier: {cells}"
    if alone or shared:
        return f"not on the reduced frontier: {cells}, and others cover all of them"
    return f"not on the frontier: {cells}; on each another one is better"


def _origin(record: Record, candidate: Candidate) -> Origin:
    iteration = candidate.iteration
    if not candidate.parent_ids:
        return Origin()
    started = _of(record, "iteration.started", iteration, candidate.parent_ids)
    asked = _of(record, "proposer.started", iteration, candidate.parent_ids)
    answered = _of(record, "proposer.completed", iteration, candidate.parent_ids)
    merged: Mapping[str, Any] = next(
        (
            fact.body
            for fact in record.of("merge.proposed")
            if fact.body["iteration"] == iteration and tuple(fact.body["parent_ids"]) == candidate.parent_ids
        ),
        {},
    )
    return Origin(
        rule=started.get("rule", ""),
        minibatch=tuple(started.get("rows", ())),
        evidence=asked.get("evidence"),
        evidence_kinds=dict(asked.get("kinds", {})),
        model=answered.get("model"),
        cost_usd=answered.get("cost_usd"),
        total_tokens=answered.get("total_tokens"),
        ancestor_id=merged.get("ancestor_id", ""),
        sources=dict(merged.get("sources", {})),
    )


def _of(record: Record, name: str, iteration: int, parents: Sequence[str]) -> Mapping[str, Any]:
    bodies = (
        fact.body
        for fact in record.of(name)
        if fact.body["iteration"] == iteration and fact.body["parent_id"] in parents
    )
    return next(bodies, {})


def _comparisons(record: Record, candidate: Candidate) -> Iterator[Comparison]:
    decision = candidate.decision
    if decision is None:
        return
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    for body in _minibatch(record, candidate, decision.iteration):
        if body["candidate_id"] == candidate.candidate_id:
            after[body["row_id"]] = body["reward"]
        elif body["candidate_id"] == decision.parent_id:
            before[body["row_id"]] = body["reward"]
    known = record.rollouts.rewards
    for row_id, reward in after.items():
        # A parent is not asked again on a row of which it is known how it does.
        yield Comparison(row_id, before.get(row_id, known.get((decision.parent_id, row_id))), reward)


def _minibatch(record: Record, candidate: Candidate, iteration: int) -> Iterator[Mapping[str, Any]]:
    begun = [fact.seq for fact in record.facts if fact.body.get("iteration") == iteration]
    decided = [
        fact.seq
        for fact in record.of("candidate.accepted", "candidate.rejected")
        if fact.body["candidate_id"] == candidate.candidate_id
    ]
    for (text,) in record.rows(_BETWEEN, (min(begun), max(decided))):
        body = json.loads(text)
        if body["iteration"] == iteration and body["stage"] in _MINIBATCH:
            yield body
