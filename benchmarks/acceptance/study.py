"""How often acceptance errs, and what it costs: the reference's rule beside `paired` and `sequential`.

A parent solves each row with probability p, a child with p + gain; scores are 0 or 1. The reference compares
sums on a minibatch of three. A decision costs its rollouts, and what it lets in costs a validation: a rollout
on each Pareto row. Three ways of counting the rollouts of a decision:

* gate: parent and child on every row compared, no validation;
* fresh: that, and a validation of what is let in;
* shared: the rows compared after the first three are Pareto rows, on which the parent's scores are known, and
  on which the child's are kept for its validation.

`make bench-acceptance` prints the table; `--write` puts table and plot into the documentation. The last line
is JSON.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path

import attrs
from plot import draw

from gepa_framework._core import Decision, Rng, accept

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/explanation/acceptance.md"
PLOT = ROOT / "docs/explanation/acceptance.svg"
BEGIN, END = "<!-- table begins -->", "<!-- table ends -->"

FIRST = 3
RATES = (0.2, 0.5, 0.8)
GAINS = (0.0, 0.1, -0.1)
#: Of a run's children: half change nothing that counts, a quarter are better, a quarter worse.
MIX = {0.0: 0.5, 0.1: 0.25, -0.1: 0.25}
VALIDATIONS = (100, 200, 400)
STREAM = 101

Judge = Callable[[list[float], list[float]], Decision]


@attrs.frozen
class Rule:
    """A rule of acceptance with the rows that it starts with."""

    label: str
    rows: int
    judge: Judge


@attrs.frozen
class Outcome:
    """What became of many children: the share accepted, rows compared, and rows when accepted."""

    accepted: float
    rows: float
    rows_accepted: float

    def gate(self) -> float:
        """Give rollouts of the comparison alone."""
        return 2 * self.rows

    def fresh(self, validation: int) -> float:
        """Give rollouts with a validation apart."""
        return self.gate() + self.accepted * validation

    def shared(self, validation: int) -> float:
        """Give rollouts with rows that the validation needs anyway."""
        own = self.rows + FIRST
        return own + self.accepted * validation - (self.rows_accepted - self.accepted * FIRST)


def rule(label: str, name: str, rows: int, **options: float) -> Rule:
    """Name a rule of the core."""
    return Rule(label, rows, lambda before, after: accept(name, before, after, **options))


RULES = (
    rule("reference: `strict_improvement`, 3 rows", "strict_improvement", 3),
    rule("`strict_improvement`, 12 rows", "strict_improvement", 12),
    rule("`strict_improvement`, 24 rows", "strict_improvement", 24),
    rule("`paired` at 0.8, 24 rows", "paired", 24, confidence=0.8),
    rule("`paired` at 0.8, 48 rows", "paired", 48, confidence=0.8),
    rule("`sequential`, as it comes", "sequential", FIRST),
    rule("`sequential` at 0.9, power 0.6", "sequential", FIRST, confidence=0.9, power=0.6),
)
REFERENCE, OURS = 0, 5


def decide(each: Rule, child: float, parent: float, rng: Rng) -> tuple[bool, int]:
    """Draw scores until a rule has decided; give its decision and the rows."""
    before: list[float] = []
    after: list[float] = []
    more = each.rows
    while more:
        before += [float(rng.uniform() < parent) for _ in range(more)]
        after += [float(rng.uniform() < child) for _ in range(more)]
        decision = each.judge(before, after)
        more = decision.more_rows
    return decision.accepted, len(before)


def outcome(each: Rule, parent: float, gain: float, decisions: int) -> Outcome:
    """Judge many children of one sort."""
    rows = accepted = rows_accepted = 0
    for i in range(decisions):
        passed, count = decide(each, parent + gain, parent, Rng(round(parent * 10), STREAM, i))
        rows += count
        accepted += passed
        rows_accepted += count * passed
    return Outcome(accepted / decisions, rows / decisions, rows_accepted / decisions)


Outcomes = dict[tuple[float, float], Outcome]


def mixed(outcomes: Outcomes, cost: Callable[[Outcome], float]) -> float:
    """Give the mean cost of a decision over all rates and the mix of children."""
    means = (sum(MIX[gain] * cost(outcomes[rate, gain]) for gain in GAINS) for rate in RATES)
    return sum(means) / len(RATES)


def wald_rows(rate: float, false: float, true: float) -> float:
    """Give the rows that any test needs for a child that is better by 0.1 (Wald's inequality)."""
    up, down = rate * (1 - rate), (rate + 0.1) * (1 - rate)
    same, less = 1 - 2 * up, rate * (0.9 - rate)
    pairs = ((down, up), (less, up), (1 - down - less, same))
    information = sum(p * math.log(p / q) for p, q in pairs)
    return (true * math.log(true / false) + (1 - true) * math.log((1 - true) / (1 - false))) / information


def table(found: list[Outcomes]) -> str:
    """Write what was found as tables."""
    lines = ["| Rule | Child | p = 0.2 | p = 0.5 | p = 0.8 | rows |", "|---|---|---|---|---|---|"]
    for each, outcomes in zip(RULES, found, strict=True):
        for gain, word in ((0.0, "no better"), (0.1, "+0.10"), (-0.1, "-0.10")):
            shares = " | ".join(f"{outcomes[rate, gain].accepted:.1%}" for rate in RATES)
            rows = sum(outcomes[rate, gain].rows for rate in RATES) / len(RATES)
            lines.append(f"| {each.label if not gain else ''} | {word} | {shares} | {rows:.1f} |")
    head = " | ".join(f"{how}, {size}" for how in ("fresh", "shared") for size in VALIDATIONS)
    lines += [
        "",
        f"| Mean rollouts per decision | gate | {head} |",
        "|---" * (2 + 2 * len(VALIDATIONS)) + "|",
    ]
    for each, outcomes in zip(RULES, found, strict=True):
        costs = [mixed(outcomes, Outcome.gate)]
        costs += [mixed(outcomes, lambda o, size=size: o.fresh(size)) for size in VALIDATIONS]
        costs += [mixed(outcomes, lambda o, size=size: o.shared(size)) for size in VALIDATIONS]
        lines.append(f"| {each.label} | " + " | ".join(f"{cost:.1f}" for cost in costs) + " |")
    return "\n".join(lines)


def figures(found: list[Outcomes]) -> dict[str, float]:
    """Give the worst case over the rates of what was to be reached, and the rollouts at 200 Pareto rows."""
    theirs, ours = found[REFERENCE], found[OURS]
    false = max(ours[rate, 0.0].accepted / theirs[rate, 0.0].accepted for rate in RATES)
    true = min(ours[rate, 0.1].accepted / theirs[rate, 0.1].accepted for rate in RATES)
    rollouts = mixed(ours, lambda o: o.shared(200)) / mixed(theirs, lambda o: o.shared(200))
    needed = wald_rows(0.5, theirs[0.5, 0.0].accepted / 2, theirs[0.5, 0.1].accepted)
    return {
        "acceptance_false_ratio": round(false, 3),
        "acceptance_true_ratio": round(true, 3),
        "acceptance_rollouts_ratio": round(rollouts, 3),
        "acceptance_rows_any_test_needs": round(needed, 1),
    }


def write(found: list[Outcomes]) -> None:
    """Put table and plot into the documentation."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(found)}\n\n{END}{after}", encoding="utf-8")
    points = [
        (each.label.replace("`", ""), outcomes[0.5, 0.0], outcomes[0.5, 0.1])
        for each, outcomes in zip(RULES, found, strict=True)
    ]
    places = [
        (label, no.accepted, yes.accepted, (no.shared(200) + yes.shared(200)) / 2)
        for label, no, yes in points
    ]
    PLOT.write_text(draw(places), encoding="utf-8")


def main() -> None:
    """Judge, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=20_000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found = [
        {(rate, gain): outcome(each, rate, gain, options.decisions) for rate in RATES for gain in GAINS}
        for each in RULES
    ]
    print(table(found))
    if options.write:
        write(found)
    print(json.dumps(figures(found)))


if __name__ == "__main__":
    main()
