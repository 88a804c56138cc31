"""The frontier as it stands on record: who is best where, and with which rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from gepa_framework.app.inspect.record import Record


@attrs.frozen
class Frontier:
    """Who is best on each cell.

    Attributes:
        cells: Cell to those that are best on it, in the order of the cells.
        survivors: The reduced frontier, from which parents are drawn.
        members: The pool, in the order of joining.
    """

    cells: Mapping[str, tuple[str, ...]]
    survivors: tuple[str, ...]
    members: tuple[str, ...]

    def owned(self, candidate_id: str) -> tuple[str, ...]:
        """Give the cells on which a candidate alone is the best."""
        return tuple(cell for cell, best in self.cells.items() if best == (candidate_id,))

    def shared(self, candidate_id: str) -> tuple[str, ...]:
        """Give the cells on which a candidate is among several that are best."""
        return tuple(cell for cell, best in self.cells.items() if len(best) > 1 and candidate_id in best)


def frontier_of(record: Record) -> Frontier:
    """Follow the frontier to its end, one candidate that joined after the other."""
    cells: dict[str, tuple[str, ...]] = {}
    members: list[str] = []
    survivors: Sequence[str] = ()
    for fact in record.of("frontier.updated"):
        name = fact.body["candidate_id"]
        members.append(name)
        cells |= dict.fromkeys(fact.body["improved"], (name,))
        cells |= {cell: (*cells.get(cell, ()), name) for cell in fact.body["tied"]}
        survivors = fact.body["survivors"]
    return Frontier(cells, tuple(survivors), tuple(members))


@attrs.frozen
class Heatmap:
    """The rewards of the pool on the Pareto rows.

    Attributes:
        rows: Ids of the rows.
        candidates: The pool, in the order of joining.
        rewards: For each candidate its reward on each row; ``None`` where it has none.
    """

    rows: tuple[str, ...]
    candidates: tuple[str, ...]
    rewards: tuple[tuple[float | None, ...], ...]


def heatmap_of(record: Record, frontier: Frontier) -> Heatmap:
    """Give the rewards of the pool on the rows on which the seed was evaluated."""
    rows, rewards = record.rollouts.seed_rows, record.rollouts.rewards
    order = tuple(cell for cell in frontier.cells if cell in rows)
    order += tuple(row for row in rows if row not in frontier.cells)
    lines = (tuple(rewards.get((name, row)) for row in order) for name in frontier.members)
    return Heatmap(order, frontier.members, tuple(lines))
