"""A report as one HTML file: no script, no network, every text of others escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import attrs
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gepa_framework.app.inspect import CandidatesDiff, RunReport
from gepa_framework.app.inspect.candidates import Candidate
from gepa_framework.app.inspect.texts import LinePair, diff_components
from gepa_framework.app.report.bars import cost_bars
from gepa_framework.app.report.chart import score_chart
from gepa_framework.app.report.cleaning import cleaned
from gepa_framework.app.report.heat import Cells, cells_of, draw_cells
from gepa_framework.app.report.tree import Tree, draw_tree, lineage_tree
from gepa_framework.app.report.wording import WORDS

if TYPE_CHECKING:
    from gepa_framework.types import ReportSection

#: So much of what goes on and on is in a page; `gepa report --json` has all of it.
MOST_DIFFS, MOST_LOG = 40, 600
#: Equal lines around a change that are shown.
_AROUND = 3


@attrs.frozen
class Fold:
    """Equal lines that are left out of a diff.

    Attributes:
        count: Number of them.
    """

    count: int


@attrs.frozen
class Pictures:
    """What is drawn, as SVG, with the numbers that say what is not.

    Attributes:
        chart: The score over the rollouts.
        chart_narrow: The same for a phone.
        tree: The lineage.
        tree_left_out: Candidates that are not in it.
        heat: The rewards on the Pareto rows.
        cells: Which of them are drawn.
        bars: The cost by boundary.
        bars_narrow: The same for a phone.
    """

    chart: Markup
    chart_narrow: Markup
    tree: Markup
    tree_left_out: int
    heat: Markup
    cells: Cells
    bars: Markup
    bars_narrow: Markup


def html_page(report: RunReport, sections: Sequence[tuple[str, ReportSection]] = ()) -> str:
    """Give the page.

    Args:
        report: What is told of the run.
        sections: Sections of plugins, each with the plugin that it is from.
    """
    best = report.candidate(report.overview.best.candidate_id) if report.overview.best else None
    changes = [each for each in reversed(report.candidates) if each.pooled and each.parent_ids]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            run=report.overview,
            best=best,
            seed=report.candidates[0] if report.candidates else None,
            gain=_gain(report, best),
            changes=[_change(report, each) for each in changes[:MOST_DIFFS]],
            more_changes=max(len(changes) - MOST_DIFFS, 0),
            log=report.log[-MOST_LOG:],
            earlier=max(len(report.log) - MOST_LOG, 0),
            pictures=_pictures(report),
            sections=[(owner, section, _markup(section)) for owner, section in sections],
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gepa_framework.app.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: cleaned(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= WORDS
    environment.filters["folded"] = folded
    return environment


def _pictures(report: RunReport) -> Pictures:
    best = report.overview.best.candidate_id if report.overview.best else ""
    tree: Tree = lineage_tree(report.candidates, best)
    cells = cells_of(report.heatmap, report.frontier, best)
    return Pictures(
        chart=_safe(score_chart(report.curve)),
        chart_narrow=_safe(score_chart(report.curve, narrow=True)),
        tree=_safe(draw_tree(tree, best)),
        tree_left_out=tree.left_out,
        heat=_safe(draw_cells(cells, report.frontier, best)),
        cells=cells,
        bars=_safe(cost_bars(report.overview.costs)),
        bars_narrow=_safe(cost_bars(report.overview.costs, narrow=True)),
    )


def _safe(drawn: str) -> Markup:
    # Our own pictures, whose texts `shapes` has made harmless.
    return Markup(drawn)  # noqa: S704


def _markup(section: ReportSection) -> Markup | None:
    # What a plugin gives as HTML is its own word; the page's policy lets it load and run nothing.
    return Markup(section.html) if section.html else None  # noqa: S704


def _gain(report: RunReport, best: Candidate | None) -> CandidatesDiff | None:
    if best is None or not best.parent_ids:
        return None
    seed = report.candidates[0]
    return CandidatesDiff(seed, best, diff_components(seed.components, best.components))


def _change(report: RunReport, candidate: Candidate) -> CandidatesDiff:
    """Give what a candidate changed of its first parent."""
    parent = report.candidate(candidate.parent_ids[0]) or report.candidates[0]
    diff = diff_components(parent.components, candidate.components)
    return CandidatesDiff(parent, candidate, tuple(each for each in diff if each.kind != "equal"))


def folded(lines: Sequence[LinePair]) -> Iterator[LinePair | Fold]:
    """Give the lines of a diff, long stretches of equal ones left out."""
    changes = [index for index, pair in enumerate(lines) if pair.kind != "equal"]
    near = {at for index in changes for at in range(index - _AROUND, index + _AROUND + 1)}
    hidden: list[LinePair] = []
    for index, pair in enumerate(lines):
        if index in near:
            yield from _hidden(hidden)
            hidden = []
            yield pair
        else:
            hidden.append(pair)
    yield from _hidden(hidden)


def _hidden(pairs: Sequence[LinePair]) -> Iterator[LinePair | Fold]:
    # One line takes no more room than word of it.
    if len(pairs) > 1:
        yield Fold(len(pairs))
    else:
        yield from pairs
