"""Weighing: what named objectives make of a decision on the reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from gepa_framework._core import Decision, weigh_objectives
from gepa_framework.engine.plan import Plan

#: The objectives of parent and child on one row.
Beside: TypeAlias = tuple[Mapping[str, float], Mapping[str, float]]


def weighed(plan: Plan, decision: Decision, rows: Sequence[Beside]) -> Decision:
    """Give the decision in the light of the objectives on the same rows."""
    weighing = plan.weighing
    if weighing.criterion == "primary" or decision.verdict == "undecided":
        return decision
    names = tuple(plan.objectives)
    return weigh_objectives(
        decision,
        weighing.criterion,
        [[parent.get(name) for name in names] for parent, _ in rows],
        [[child.get(name) for name in names] for _, child in rows],
        list(plan.objectives.values()),
        min_delta=weighing.min_delta,
        tolerance=weighing.tolerance,
        protected=[names.index(name) for name in weighing.protected],
    )
