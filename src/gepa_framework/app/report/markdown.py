"""A report as Markdown, for whoever puts it into an issue or a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gepa_framework.app.inspect import RunReport
from gepa_framework.app.inspect.texts import diff_components
from gepa_framework.app.report.cleaning import cleaned
from gepa_framework.app.report.wording import (
    chance,
    count,
    measured,
    money,
    points,
    signed,
    took,
    verdict,
)
from gepa_framework.types import ReportSection

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


def markdown_page(report: RunReport, sections: Sequence[tuple[str, ReportSection]] = ()) -> str:
    """Give the report as Markdown."""
    parts = [*_head(report), *_candidates(report), *_best(report), *_costs(report), *_log(report)]
    for owner, section in sections:
        parts += [f"## {_plain(section.title)}", f"From {_plain(owner)}.", _fenced(section.text)]
    return "\n\n".join(parts) + "\n"


def _head(report: RunReport) -> Iterator[str]:
    run = report.overview
    yield f"# {_plain(run.run_id)}"
    reason = f": {_plain(run.standing.reason)}" if run.standing.reason else ""
    yield f"**{run.standing.status}**{reason}"
    if run.verdict:
        told = f"mean difference {signed(run.verdict.mean_difference)}, n={run.verdict.n}"
        yield f"**{verdict(run.verdict.verdict)}** on heldout rows ({told}, p {chance(run.verdict.p)})."
    best = run.best
    rows = [
        ("best", f"`{best.candidate_id}`" if best else "none yet"),
        ("Pareto", f"{points(run.seed_score)} → {points(best.score if best else None)}"),
        ("rollouts", f"{count(run.rollouts)}, {count(run.failed_rollouts)} failed"),
        ("cost", money(run.costs.cost_usd)),
        ("iterations", f"{count(run.iterations)} in {took(run.elapsed_seconds)}"),
    ]
    yield _table(("", ""), rows)


def _candidates(report: RunReport) -> Iterator[str]:
    front = [each for each in report.candidates if each.survivor]
    if front:
        yield "## Frontier"
        heads = ("Candidate", "Pareto", "heldout", "alone best on", "shares")
        yield _table(
            heads,
            [
                (
                    f"`{each.candidate_id}`",
                    measured(each.pareto),
                    measured(each.heldout),
                    str(len(each.owns)),
                    str(len(each.shares)),
                )
                for each in front
            ],
        )


def _best(report: RunReport) -> Iterator[str]:
    best = report.candidate(report.overview.best.candidate_id) if report.overview.best else None
    if best is None:
        return
    yield "## Best candidate against the seed"
    for diff in diff_components(report.candidates[0].components, best.components):
        yield f"### {_plain(diff.component)}"
        yield _fenced(diff.unified, "diff") if diff.kind != "equal" else "As in the seed."


def _costs(report: RunReport) -> Iterator[str]:
    if report.overview.costs.boundaries:
        yield "## Cost by boundary"
        heads = ("Boundary", "calls", "unpriced", "cost")
        yield _table(
            heads,
            [
                (_plain(each.boundary), count(each.calls), count(each.unpriced), money(each.cost_usd))
                for each in report.overview.costs.boundaries
            ],
        )


def _log(report: RunReport) -> Iterator[str]:
    if report.log:
        yield "## Decision log"
        yield "\n".join(
            f"* {took(entry.elapsed_seconds)} "
            + (f"`{entry.candidate_id}` " if entry.candidate_id else "")
            + _plain(entry.text)
            for entry in report.log
        )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Give a text of others so that it means nothing to Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(cleaned(text).split()))


def _fenced(text: str, language: str = "") -> str:
    """Give a text of others as a block that it cannot end."""
    shown = cleaned(text)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}{language}\n{shown}\n{fence}"
