"""``gepa resume``."""

from __future__ import annotations

import click

from gepa_framework.cli.options import accept_plugins_option, extend_option, run_options
from gepa_framework.cli.places import find_run
from gepa_framework.cli.session import Session


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

    RUN is the directory of a run, or the id of one below the output directory. What is on record is not paid
    for again.
    """
    from gepa_framework.app import GepaRun
    from gepa_framework.cli.execution import execute

    resumed = GepaRun.resume(find_run(run), extend=extend, accept_changed_plugins=accept_changed_plugins)
    execute(resumed, session, display=display)
