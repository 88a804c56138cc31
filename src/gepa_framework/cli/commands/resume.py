"""``gepa resume``."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from gepa_framework.cli.options import accept_plugins_option, extend_option, run_options
from gepa_framework.cli.session import Session

#: Where run ids are looked for.
RUNS = Path("runs")


@click.command()
@click.argument("run")
@extend_option
@accept_plugins_option
@run_options
@click.pass_obj
def resume(
    session: Session,
    *,
    run: str,
    extend: tuple[str, ...],
    accept_changed_plugins: bool,
    display: str,
    as_json: bool,  # noqa: ARG001
) -> None:
    """Go on with a run where its record ends.

    RUN is the directory of a run, or the id of one below ./runs. What is on record is not paid for again.
    """
    from gepa_framework.app import GepaRun
    from gepa_framework.cli.execution import execute

    resumed = GepaRun.resume(find_run(run), extend=extend, accept_changed_plugins=accept_changed_plugins)
    execute(resumed, session, display=display)


def find_run(name: str) -> Path:
    """Give the directory of a run.

    Args:
        name: Its path, or its id.

    Raises:
        click.BadParameter: There is no such run; the message names the nearest one.
    """
    for directory in (Path(name), RUNS / name):
        if directory.is_dir():
            return directory
    raise click.BadParameter(
        f"there is no directory '{name}' and none in ./{RUNS}{near_run(name)}", param_hint="RUN"
    )


def near_run(name: str) -> str:
    """Ask whether the run of the nearest id was meant, where there is one."""
    ids = [entry.name for entry in RUNS.iterdir() if entry.is_dir()] if RUNS.is_dir() else []
    near = difflib.get_close_matches(name, ids, n=1)
    return f". Did you mean '{near[0]}'?" if near else ""
