"""What a run would do and spend, for ``gepa check``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from gepa_framework.cli.display.facts import all_rollouts, heldout_rollouts
from gepa_framework.cli.words import clean, count, duration, table

if TYPE_CHECKING:
    from gepa_framework.app import GepaRun
    from gepa_framework.engine import Plan


def plan_fields(run: GepaRun) -> dict[str, object]:
    """Give the plan as JSON."""
    plan = run.plan
    return {
        "ok": True,
        "file": run.loaded.file,
        "run_dir": str(run.run_dir.parent),
        "seed": plan.seed,
        "plugins": [
            {
                "kind": loaded.found.kind.value,
                "name": loaded.found.name,
                "distribution": loaded.found.dist,
                "version": loaded.found.version,
            }
            for loaded in run.chosen
        ],
        "rows": {
            "train": len(plan.train),
            "pareto": _pareto(plan),
            "minibatch_pool": _pool(plan),
            "minibatch": plan.minibatch_size,
            "heldout": len(plan.heldout),
        },
        "limits": dict(plan.limits.fields()),
        "at_most": {
            "rollouts": all_rollouts(plan),
            "cost_usd": plan.limits.cost_usd,
        },
        "overrides": list(run.loaded.overrides),
        "warnings": [attrs.asdict(warning) for warning in run.warnings],
    }


def plan_text(run: GepaRun, file: str) -> str:
    """Give the plan as text."""
    plugins = [
        (loaded.found.kind.value, loaded.found.name, f"{loaded.found.dist} {loaded.found.version}")
        for loaded in run.chosen
    ]
    blocks = [
        "plugins\n" + "\n".join(table(plugins, indent="  ")),
        "plan\n" + "\n".join(table(list(_plan_rows(run)), indent="  ")),
    ]
    if run.loaded.overrides:
        blocks.append("overrides\n" + "\n".join(f"  {line}" for line in run.loaded.overrides))
    warnings = f" with {count(len(run.warnings), 'warning')}" if run.warnings else ""
    blocks.append(f"{file} is good{warnings}; nothing was spent. Start it: gepa run --config {file}")
    return clean("\n\n".join(blocks))


def _plan_rows(run: GepaRun) -> Iterator[tuple[str, str]]:
    plan = run.plan
    yield "runs go to", str(run.run_dir.parent)
    yield "seed", str(plan.seed)
    yield "train", f"{count(len(plan.train), 'row')}; candidates are scored on {_pareto(plan)}"
    yield "minibatch", f"{plan.minibatch_size} of {count(_pool(plan), 'row')}"
    yield "heldout", f"{count(len(plan.heldout), 'row')}, rolled out for {_measured(plan)}"
    yield "rules", f"selection {plan.selecting.rule}, acceptance {plan.accepting.rule}"
    yield "stops at", "; ".join(_limits(plan))
    yield "at most", f"{_rollouts(plan)}; {_money(plan)}"


def _measured(plan: Plan) -> str:
    room = heldout_rollouts(plan) // max(len(plan.heldout), 1) - 2
    ties = f", and for {count(room, 'tie')} at the most" if room > 0 else ""
    return f"the seed and the best candidate{ties}"


def _rollouts(plan: Plan) -> str:
    search, most = plan.limits.train_rollouts, all_rollouts(plan)
    return f"{count(most, 'rollout')} ({search:,} for the search, {most - search:,} heldout)"


def _money(plan: Plan) -> str:
    cost = plan.limits.cost_usd
    return "no limit on money (gepa.max_cost_usd)" if cost is None else f"${cost:,.2f}"


def _limits(plan: Plan) -> Iterator[str]:
    limits = plan.limits
    yield f"{limits.train_rollouts:,} rollouts of the search"
    if limits.proposals is not None:
        yield count(limits.proposals, "proposal")
    if limits.iterations is not None:
        yield count(limits.iterations, "iteration")
    if limits.seconds is not None:
        yield f"{duration(limits.seconds)} of work"
    if limits.cost_usd is not None:
        yield f"${limits.cost_usd:,.2f}"
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        if (tokens := getattr(limits, name)) is not None:
            yield f"{tokens:,} {name.replace('_', ' ')}"


def _pareto(plan: Plan) -> int:
    return len(plan.pareto) or len(plan.train)


def _pool(plan: Plan) -> int:
    return len(plan.minibatch_pool) or len(plan.train)
