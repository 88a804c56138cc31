"""What a run took, by boundary: where the money, the tokens and the rollouts went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from gepa_framework.app.inspect.record import Record
from gepa_framework.app.inspect.rollouts import NANO


@attrs.frozen
class Boundary:
    """What was taken at one boundary.

    Attributes:
        boundary: ``rollout: STAGE``, ``rollout failed``, ``attempt tried again``, ``proposal``,
            ``proposal failed``, or ``given up under way``.
        calls: Calls on record.
        unpriced: Those of them whose cost is not known.
        cost_usd: US dollars of the others.
        total_tokens: Tokens of those whose tokens are known.
    """

    boundary: str
    calls: int
    unpriced: int
    cost_usd: float
    total_tokens: int


@attrs.frozen
class Costs:
    """What a run took.

    Attributes:
        cost_usd: US dollars in all; ``None`` when any part is unknown.
        known_usd: What is known of it.
        boundaries: The parts, those that nothing was asked of left out.
    """

    cost_usd: float | None
    known_usd: float
    boundaries: tuple[Boundary, ...]


_SUMS = "count(*), sum(cost_usd IS NULL), total(cost_usd), total(total_tokens)"
_REST = f"""
    SELECT CASE kind WHEN 'rollout_failure' THEN 'rollout failed' WHEN 'proposal' THEN 'proposal'
           ELSE 'proposal failed' END, {_SUMS}
    FROM (SELECT position, kind, json_extract(payload, '$.usage.cost_usd') AS cost_usd,
                 json_extract(payload, '$.usage.total_tokens') AS total_tokens
          FROM inputs WHERE kind IN ('rollout_failure', 'proposal', 'proposal_failure'))
    GROUP BY kind ORDER BY min(position)"""  # noqa: S608 - constants
_ATTEMPTS = f"SELECT 'attempt tried again', {_SUMS} FROM attempts"  # noqa: S608 - constants


def costs_of(record: Record) -> Costs:
    """Add up what is on record."""
    boundaries = tuple(_boundaries(record))
    known = sum(round(each.cost_usd * NANO) for each in boundaries) / NANO
    unknown = any(each.unpriced for each in boundaries)
    return Costs(None if unknown else known, known, boundaries)


def _boundaries(record: Record) -> Iterator[Boundary]:
    for stage, sums in record.rollouts.by_stage().items():
        if scored := sums.calls - sums.failed:
            yield Boundary(f"rollout: {stage}", scored, sums.unpriced, sums.nano_usd / NANO, sums.tokens)
    for query in (_REST, _ATTEMPTS):
        yield from (_boundary(row) for row in record.rows(query) if row[1])
    given_up = [fact.body["rollouts"] + fact.body["proposals"] for fact in record.of("work.abandoned")]
    if sum(given_up):
        yield Boundary("given up under way", sum(given_up), sum(given_up), 0.0, 0)


def _boundary(row: Sequence[Any]) -> Boundary:
    name, calls, unpriced, cost, tokens = row
    return Boundary(name, calls, unpriced, cost, int(tokens))
