"""What is told of runs and candidates, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gepa_framework.cli.words import count, dollars, duration, one_line, score, table, with_error

if TYPE_CHECKING:
    from gepa_framework.app.inspect.candidates import Candidate, Score, Spent
    from gepa_framework.app.inspect.costs import Costs
    from gepa_framework.app.inspect.decisions import LogEntry
    from gepa_framework.app.inspect.overview import Overview

_KILO, _HOUR, _DAY = 1000, 3600, 86400
_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(number: float) -> str:
    """Give a size with its unit, a kilobyte being 1,000 bytes."""
    unit = 0
    while number >= _KILO and unit + 1 < len(_UNITS):
        number, unit = number / _KILO, unit + 1
    return f"{number:.0f} {_UNITS[unit]}" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"


def age(seconds: float) -> str:
    """Give how long ago something was, in one unit."""
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (60, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds)} s"


def cost(costs: Costs) -> str:
    """Give a cost, and where it is not known what is."""
    if costs.cost_usd is not None:
        return dollars(costs.cost_usd)
    return f"unknown, at least {dollars(costs.known_usd)}"


def measured(given: Score | None) -> str:
    """Give a mean with its standard error, and the rows that it is over."""
    if given is None:
        return "not measured"
    return f"{with_error(given.score, given.stderr)} on {given.coverage} of {given.rows} rows"


def status(run: Overview) -> str:
    """Give how a run stands, and who holds it."""
    standing = run.standing
    holder = f", held by {standing.holder}" if standing.holder else ""
    reason = f": {one_line(standing.reason)}" if standing.reason else ""
    code = f" ({standing.error_code})" if standing.error_code else ""
    return f"{standing.status}{holder}{reason}{code}"


def verdict(run: Overview) -> str:
    """Give the verdict on the heldout rows with its numbers."""
    given = run.verdict
    if given is None:
        return "not measured"
    p = f", p {given.p:.2g}" if given.p is not None else ""
    difference = "unknown" if given.mean_difference is None else f"{given.mean_difference:+.3f}"
    return f"{given.verdict} (mean difference {difference}, n={given.n}{p})"


def overview(run: Overview) -> list[str]:
    """Give a run at a glance."""
    best = run.best
    found = f"{best.candidate_id} {with_error(best.score, best.stderr)}" if best else "none yet"
    failed = f" ({run.failed_rollouts:,} failed)" if run.failed_rollouts else ""
    work = f"{count(run.rollouts, 'rollout')}{failed} in {count(run.iterations, 'iteration')}"
    return table(
        [
            ("run", run.run_id),
            ("status", status(run)),
            ("best", f"{found}, seed {with_error(run.seed_score, run.seed_stderr)}"),
            ("heldout", verdict(run)),
            ("candidates", f"{run.candidates:,}, of these {run.pool:,} in the pool"),
            ("spent", f"{work}, {duration(run.elapsed_seconds)}; cost {cost(run.costs)}"),
            ("journal", run.location),
        ]
    )


def candidate(given: Candidate) -> list[str]:
    """Give a candidate in short."""
    parents = ", ".join(given.parent_ids) or "none"
    spent = given.spent
    return table(
        [
            ("candidate", f"{given.candidate_id}, {given.status}"),
            ("from", f"{parents}, iteration {given.iteration}, by {given.source}"),
            ("Pareto", measured(given.pareto)),
            ("heldout", measured(given.heldout)),
            ("frontier", f"alone best on {len(given.owns)}, shares {len(given.shares)}"),
            ("rollouts", spending(spent)),
        ]
    )


def spending(spent: Spent) -> str:
    """Give what the rollouts of a candidate took."""
    stages = ", ".join(f"{name} {number:,}" for name, number in sorted(spent.stages.items()))
    failed = f", {spent.failed:,} failed" if spent.failed else ""
    told = f" ({stages})" if stages else ""
    return f"{spent.rollouts:,}{failed}{told}; cost {dollars(spent.cost_usd)}"


def log(entries: tuple[LogEntry, ...]) -> Iterator[str]:
    """Give the entries of a decision log."""
    rows = [
        (duration(each.elapsed_seconds), f"#{each.iteration}" if each.iteration else "", _told(each))
        for each in entries
    ]
    yield from table(rows) if rows else ["nothing was decided yet"]


def _told(entry: LogEntry) -> str:
    who = f"{entry.candidate_id} " if entry.candidate_id else ""
    return f"{who}{one_line(entry.text)}"


def reward(value: float | None) -> str:
    """Give a reward, or that there is none."""
    return "none" if value is None else score(value)
