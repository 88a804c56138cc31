"""``gepa diff``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gepa_framework.cli import differences, output, told
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.places import find_run
from gepa_framework.cli.words import clean, table

if TYPE_CHECKING:
    from gepa_framework.app.inspect import CandidatesDiff


@click.command()
@click.argument("run")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--unified", is_flag=True, help="Print a unified diff, as patch takes it.")
@json_option
@verbose_option
def diff(run: str, before: str, after: str, unified: bool, as_json: bool) -> None:
    """Show how candidate B differs from candidate A: side by side on a terminal, word by word.

    RUN is the directory of a run, or the id of one below the output directory. A and B are ids, unique
    beginnings of them, `seed` or `best`. Elsewhere than on a terminal, [-gone-] and {+come+} mark words.
    """
    from gepa_framework.app.inspect import as_json as plain
    from gepa_framework.app.inspect import compare_candidates

    found = compare_candidates(find_run(run), before, after)
    if as_json:
        output.answer_json(plain(found))
    elif unified:
        if text := differences.unified(found.components):
            output.answer(text)
    elif sys.stdout.isatty():
        _on_terminal(found)
    else:
        output.answer("\n\n".join((_heads(found), differences.plain(found.components))))


def _heads(found: CandidatesDiff) -> str:
    sides = (("A", found.before), ("B", found.after))
    rows = [(side, each.candidate_id, told.measured(each.pareto)) for side, each in sides]
    return clean("\n".join(table(rows)))


def _on_terminal(found: CandidatesDiff) -> None:
    from rich.console import Console

    console = Console()
    console.print(_heads(found), highlight=False, markup=False)
    for each in found.components:
        console.print(differences.coloured(each))
