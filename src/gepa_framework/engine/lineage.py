"""Lineage: where a candidate comes from, and what was tried in vain on the way."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import Final

from gepa_framework.engine.pool import Member, Pool
from gepa_framework.types import LineageStep, RejectedAttempt

#: Steps that are told, besides the seed's.
LATEST_STEPS: Final = 8
#: Ancestors that are looked at for refused attempts.
_FARTHEST: Final = 64


def ancestry(pool: Pool, member: Member) -> Iterator[Member]:
    """Give the member and all that it descends from, whoever joined last first; the seed is the last."""
    nearest = [-pool.index(member.candidate.id)]
    seen = set(nearest)
    while nearest:
        one = pool.members[-heapq.heappop(nearest)]
        yield one
        for parent_id in one.parent_ids:
            index = -pool.index(parent_id)
            if index not in seen:
                seen.add(index)
                heapq.heappush(nearest, index)


def lineage(pool: Pool, member: Member) -> tuple[LineageStep, ...]:
    """Give the way from the seed to a member: the seed and the latest steps."""
    steps = list(islice(ancestry(pool, member), LATEST_STEPS))
    seed = pool.members[0]
    if steps[-1] is not seed:
        steps.append(seed)
    return tuple(_step(pool, one) for one in reversed(steps))


def _step(pool: Pool, member: Member) -> LineageStep:
    # Nothing of it changes once the member has joined, and it is told of in every request of its descendants.
    known = pool.steps.get(member.candidate.id)
    if known is None:
        known = pool.steps[member.candidate.id] = _new_step(pool, member)
    return known


def _new_step(pool: Pool, member: Member) -> LineageStep:
    candidate, index = member.candidate, pool.index(member.candidate.id)
    parent = pool.known[member.parent_ids[0]] if member.parent_ids else candidate
    return LineageStep(
        candidate_id=candidate.id,
        iteration=member.iteration,
        changed=tuple(candidate.changes_from(parent)),
        rationale=pool.rationales.get(candidate.id, ""),
        score=pool.frontier.mean(index),
        best=pool.standings[index],
    )


def rejected(pool: Pool, member: Member, most: int) -> tuple[RejectedAttempt, ...]:
    """Give the latest refused attempts from a member and its ancestors, the nearest last."""
    found: list[RejectedAttempt] = []
    for one in islice(ancestry(pool, member), _FARTHEST):
        if len(found) >= most:
            break
        latest = pool.rejected(one.candidate.id, named=one is not member)[len(found) - most :]
        found = [*latest, *found]
    return tuple(found)
