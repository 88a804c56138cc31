"""``gepa status``."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gepa_framework.cli import output
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.places import find_run, output_dir
from gepa_framework.cli.session import Session

#: How long a watcher waits between two looks, and how long it may watch.
_PAUSE_SECONDS, _LONGEST_SECONDS = 1.0, 86_400.0


@click.command()
@click.argument("run", required=False)
@click.option(
    "--watch",
    metavar="SECONDS",
    type=click.FloatRange(0, _LONGEST_SECONDS),
    default=0.0,
    help="Look again every second, for so long at the most, until no run goes on.",
)
@json_option
@verbose_option
@click.pass_obj
def status(session: Session, run: str | None, watch: float, as_json: bool) -> None:
    """Show where runs stand, also while they go on. Nothing is written.

    RUN is the directory of a run, its workspace.sqlite, the id of one below the output directory, or a
    directory of runs; the output directory if it is left out.
    """
    from gepa_framework.app import workspace_status
    from gepa_framework.cli.logs import show_warnings

    show_warnings(verbose=session.verbose)
    path = _path(run)
    _look(lambda: workspace_status(path), _json if as_json else _text, time.monotonic() + watch)


def _path(run: str | None) -> Path:
    if run is None:
        return output_dir()
    return Path(run) if Path(run).is_file() else find_run(run)


def _look(read: Callable[[], dict[str, Any]], show: Callable[[dict[str, Any]], None], until: float) -> None:
    """Show what there is, and once more whenever it has changed, until nothing goes on or time is up."""
    shown = None
    while True:
        found = read()
        if found != shown:
            show(found)
            shown = found
        left = until - time.monotonic()
        if left <= 0 or not found["run_state_counts"].get("running"):
            return
        time.sleep(min(_PAUSE_SECONDS, left))


def _json(found: dict[str, Any]) -> None:
    output.answer_json(found)


def _text(found: dict[str, Any]) -> None:
    from gepa_framework.cli.status_page import status_page

    output.answer(status_page(found))
