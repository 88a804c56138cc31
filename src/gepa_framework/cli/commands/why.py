"""``gepa why``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from gepa_framework.cli import output, told
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.places import find_run
from gepa_framework.cli.words import clean, count, dollars, one_line, table

if TYPE_CHECKING:
    from gepa_framework.app.inspect import Why
    from gepa_framework.app.inspect.why import Origin

#: So many rows are named in a line.
_NAMED = 20


@click.command()
@click.argument("run")
@click.argument("candidate")
@json_option
@verbose_option
def why(run: str, candidate: str, as_json: bool) -> None:
    """Tell why a candidate was accepted or rejected, and why it is on the frontier or not.

    RUN is the directory of a run, or the id of one below the output directory. CANDIDATE is an id, a unique
    beginning of one, `seed` or `best`.
    """
    from gepa_framework.app.inspect import as_json as plain
    from gepa_framework.app.inspect import explain_candidate

    told_of = explain_candidate(find_run(run), candidate)
    if as_json:
        output.answer_json(plain(told_of))
    else:
        output.answer(clean("\n".join(_text(told_of))))


def _text(given: Why) -> Iterator[str]:
    each, origin = given.candidate, given.origin
    rows = [
        ("candidate", f"{each.candidate_id}, the best of the run" if given.best else each.candidate_id),
        ("decision", one_line(given.decided)),
        ("frontier", given.frontier),
        ("owns", _rows(each.owns)),
        ("shares", _rows(each.shares)),
        ("Pareto", told.measured(each.pareto)),
        ("heldout", told.measured(each.heldout)),
        ("parents", ", ".join(each.parent_ids) or "none"),
        ("evidence", _evidence(origin)),
        *([("reason given", one_line(each.rationale))] if each.rationale else []),
        *([("merge", _merge(origin))] if origin.ancestor_id else []),
        ("rollouts", told.spending(each.spent)),
    ]
    yield from table(rows)
    if given.comparisons:
        yield from ("", "row by row, where child and parent differ")
        yield from _comparisons(given)


def _evidence(origin: Origin) -> str:
    if origin.evidence is None:
        return "none: no proposer was asked"
    kinds = ", ".join(f"{name} {number}" for name, number in origin.evidence_kinds.items())
    frames = count(origin.evidence, "frame") + (f" ({kinds})" if kinds else "")
    drawn = f"{count(len(origin.minibatch), 'row')} drawn, parent by {origin.rule}; " if origin.rule else ""
    model = f", {one_line(origin.model)}" if origin.model else ""
    return f"{drawn}{frames}{model}; proposal {dollars(origin.cost_usd)}"


def _merge(origin: Origin) -> str:
    sources = ", ".join(f"{name} from {whose}" for name, whose in origin.sources.items())
    return f"common ancestor {origin.ancestor_id}; {sources}"


def _rows(rows: Sequence[str]) -> str:
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return f"{len(rows)}: {', '.join(rows[:_NAMED])}{more}" if rows else "none"


def _comparisons(given: Why) -> Iterator[str]:
    differing = [each for each in given.comparisons if each.before != each.after]
    rows = [(each.row_id, told.reward(each.before), told.reward(each.after)) for each in differing]
    if rows:
        yield from table([("row", "parent", "child"), *rows], indent="  ")
    yield f"  {count(len(given.comparisons) - len(differing), 'row')} more with equal rewards"
