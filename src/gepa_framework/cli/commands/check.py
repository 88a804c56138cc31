"""``gepa check``."""

from __future__ import annotations

import click

from gepa_framework.cli import output
from gepa_framework.cli.options import config_options, json_option, verbose_option
from gepa_framework.cli.session import Session


@click.command()
@config_options
@json_option
@verbose_option
@click.pass_obj
def check(session: Session, config: str, sets: tuple[str, ...], as_json: bool) -> None:
    """Check FILE and its plugins, and show what a run would spend at most.

    Nothing is started, asked or written.
    """
    from gepa_framework.app import GepaRun
    from gepa_framework.cli.execution import warn
    from gepa_framework.cli.logs import show_warnings
    from gepa_framework.cli.planned import plan_fields, plan_text

    show_warnings(verbose=session.verbose)
    run = GepaRun.from_toml(config, sets=sets)
    run.check()
    if as_json:
        output.answer_json(plan_fields(run))
        return
    warn(run)
    output.answer(plan_text(run, config))
