"""``gepa show``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from gepa_framework.cli import output, told
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.places import find_run
from gepa_framework.cli.words import clean, one_line, table

if TYPE_CHECKING:
    from gepa_framework.app.inspect import CandidateStory
    from gepa_framework.app.inspect.whole import Step


@click.command()
@click.argument("run")
@click.argument("candidate", required=False)
@json_option
@verbose_option
def show(run: str, candidate: str | None, as_json: bool) -> None:
    """Show the best candidate of a run, or another one: its texts, how it came to be, and what was decided.

    RUN is the directory of a run, or the id of one below the output directory. CANDIDATE is an id, a unique
    beginning of one, `seed` or `best`.
    """
    from gepa_framework.app.inspect import as_json as plain
    from gepa_framework.app.inspect import inspect_candidate

    story = inspect_candidate(find_run(run), candidate)
    if as_json:
        output.answer_json(plain(story))
    else:
        output.answer(clean("\n".join(_text(story))))


def _text(story: CandidateStory) -> Iterator[str]:
    yield from told.overview(story.overview)
    if story.candidate is not None:
        yield ""
        yield from told.candidate(story.candidate)
        for name, text in story.candidate.components.items():
            yield from ("", f"--- {name} ---", text)
        yield from ("", "lineage, the seed first")
        yield from table([_step(step) for step in story.lineage], indent="  ")
    yield from ("", "decisions")
    yield from (f"  {line}" for line in told.log(story.log))


def _step(step: Step) -> tuple[str, str, str, str]:
    each = step.candidate
    changed = ", ".join(f"{diff.component} {_amount(diff.unified)}" for diff in step.diff)
    reason = f": {one_line(each.rationale, 120)}" if each.rationale else ""
    score = told.measured(each.pareto) if each.pareto else each.status
    return each.candidate_id, f"#{each.iteration}", score, f"{changed}{reason}"


def _amount(unified: str) -> str:
    """Give how many lines a diff adds and takes away."""
    lines = unified.splitlines()[2:]
    return f"+{sum(line[:1] == '+' for line in lines)}/-{sum(line[:1] == '-' for line in lines)}"
