"""Shortages: whether the least that a run needs fits its limits, by what calls are expected to take."""

from __future__ import annotations

from collections.abc import Iterator

from gepa_framework.engine.budget import Budget, Need
from gepa_framework.engine.ledger import Ledger
from gepa_framework.engine.plan import Plan

#: What is limited, with the unit that its sums are shown in.
_SHOWN = (
    ("cost_usd", "${:,g}"),
    ("prompt_tokens", "{:,g} prompt tokens"),
    ("completion_tokens", "{:,g} completion tokens"),
    ("total_tokens", "{:,g} tokens"),
)


def shortages(plan: Plan) -> Iterator[tuple[str, str]]:
    """Give each limit that cannot hold the seed's evaluation and the heldout rows, with what to do."""
    need = Need(train=len(plan.pareto) or len(plan.train), heldout=2 * len(plan.heldout))
    yield from _short_of_rollouts(plan, need)
    yield from _short_of_money(plan, need)


def _short_of_rollouts(plan: Plan, need: Need) -> Iterator[tuple[str, str]]:
    limits = plan.limits
    seed = f"the seed's evaluation needs {need.train} rollouts, one for each Pareto row"
    heldout = (
        f"the heldout rows need {need.heldout} rollouts, {len(plan.heldout)} each for the seed and the best "
        "candidate"
    )
    if limits.total_rollouts is not None and limits.total_rollouts < need.rollouts:
        message = f"{seed}, {heldout}: {need.rollouts} in all, and max_total_rollouts is"
        yield f"{message} {limits.total_rollouts}", "raise gepa.max_total_rollouts, or name fewer rows"
    if limits.train_rollouts < need.train:
        hint = "raise gepa.max_train_rollouts or gepa.max_total_rollouts, or name fewer rows"
        yield f"{seed}, and the search has {limits.train_rollouts}", hint
    if limits.heldout_rollouts < need.heldout:
        hint = "raise gepa.max_heldout_rollouts or gepa.max_total_rollouts, or name fewer rows"
        yield f"{heldout}, and {limits.heldout_rollouts} are set aside", hint


def _short_of_money(plan: Plan, need: Need) -> Iterator[tuple[str, str]]:
    estimates = plan.estimates
    budget = Budget(Ledger(), estimates)
    for name, shown in _SHOWN:
        limit = getattr(plan.limits, name)
        least, unit = budget.worst(name, need), 1e9 if name == "cost_usd" else 1
        if limit is None or least <= limit * unit:
            continue
        each = shown.format(getattr(estimates.rollout, name))
        message = (
            f"the seed's evaluation ({need.train} rollouts) and the heldout rows ({need.heldout}) may take "
            f"{shown.format(least / unit)}, {estimates.attempts} attempts at {each} for each rollout, and "
            f"max_{name} is {shown.format(limit)}"
        )
        lower = f"lower gepa.rollout_estimated_{name} or gepa.max_rollout_attempts"
        yield message, f"raise gepa.max_{name}, {lower}, or name fewer rows"
