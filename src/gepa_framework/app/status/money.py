"""What a run has spent of what it may spend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gepa_framework.workspace import Standing

_PARTS = ("prompt_tokens", "completion_tokens", "total_tokens")
_NANO = 1_000_000_000


def usage_of(standing: Standing) -> dict[str, int | float | None]:
    """Give everything consumed, calls included; each part ``None`` when any of it is unknown."""
    sums, inputs = standing.counts["usage"], standing.counts["inputs"]
    # What was given up under way took what nobody knows.
    blind = any(standing.counts["abandoned"].values())
    parts = {name: None if blind else _sum(sums, name) for name in (*_PARTS, "cost")}
    nano = parts.pop("cost")
    return {
        **parts,
        "cost_usd": None if nano is None else nano / _NANO,
        "rollout_calls": _calls(inputs, "rollout") + sum(standing.counts["attempts"].values()),
        "proposer_calls": _calls(inputs, "proposal"),
    }


def _sum(sums: Mapping[str, int], name: str) -> int | None:
    if any(key.endswith(f".unknown_{name}") for key in sums):
        return None
    return sum(amount for key, amount in sums.items() if key.endswith(f".{name}"))


def _calls(inputs: Mapping[str, int], kind: str) -> int:
    return inputs.get(kind, 0) + inputs.get(f"{kind}_failure", 0)


def limit_counts(budget: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Give how many limits are reached, open, or not known to be either."""
    left = budget["remaining"].values()
    states = Counter("unknown" if each is None else "reached" if each <= 0 else "open" for each in left)
    return dict(sorted(states.items()))


def budget_status(standing: Standing, usage: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the limits that hold, what is spent of each, and what is left; ``None`` where that is unknown.

    Rollouts are those that are over and those that were given up under way; what is under way is not in it.
    """
    stages, given_up = standing.counts["stages"], standing.counts["abandoned"]
    heldout = sum(count for key, count in stages.items() if key.startswith("heldout."))
    train = sum(stages.values()) - heldout + given_up.get("rollouts", 0)
    spent = {
        "train_rollouts": train,
        "heldout_rollouts": heldout,
        "total_rollouts": train + heldout,
        "proposals": usage["proposer_calls"] + given_up.get("proposals", 0),
        "iterations": standing.iteration,
        "seconds": standing.elapsed_seconds,
        **{name: usage[name] for name in ("cost_usd", *_PARTS)},
    }
    remaining = {
        name: None if spent.get(name) is None else limit - spent[name]
        for name, limit in standing.limits.items()
    }
    return {"limits": dict(standing.limits), "spent": spent, "remaining": remaining}
