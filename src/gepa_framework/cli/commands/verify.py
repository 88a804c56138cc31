"""``gepa verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gepa_framework.cli import output
from gepa_framework.cli.options import accept_plugins_option, json_option, verbose_option
from gepa_framework.cli.places import find_run
from gepa_framework.cli.session import Session
from gepa_framework.cli.words import clean, count, table

if TYPE_CHECKING:
    from gepa_framework.app.verification import Verification


@click.command()
@click.argument("run")
@accept_plugins_option
@json_option
@verbose_option
@click.pass_obj
def verify(session: Session, run: str, accept_changed_plugins: bool, as_json: bool) -> None:
    """Replay a run, and prove that every decision follows from what is on record.

    RUN is the directory of a run, or the id of one below the output directory. Nothing is asked, spent or
    written.
    """
    from gepa_framework.app import GepaRun
    from gepa_framework.cli.logs import show_warnings

    show_warnings(verbose=session.verbose)
    proved = GepaRun.verify(find_run(run), accept_changed_plugins=accept_changed_plugins)
    if as_json:
        output.answer_json({"ok": True, **proved.to_dict()})
    else:
        output.answer(_text(proved))


def _text(proved: Verification) -> str:
    rows = [
        ("run", f"{proved.run_id} in {proved.run_dir}, {proved.status}"),
        ("journal", f"{count(proved.inputs, 'input')}, each chained to the one before"),
        ("events", f"{count(proved.events, 'event')}, each equal to the one derived"),
        ("of these", f"{count(proved.decisions, 'decision')}, {count(proved.rollouts, 'rollout')}"),
        ("requests", f"{count(proved.requests, 'request')} to the proposer, each kept as it was asked"),
        ("files", ", ".join(proved.files) or "none"),
        *(("not proved", each) for each in proved.unproved),
        ("chain", proved.chain),
    ]
    return clean("\n".join(table(rows)) + "\n\nverified: the record is whole, and it replays to itself")
