"""``gepa run``."""

from __future__ import annotations

import click

from gepa_framework.cli.options import config_options, run_options
from gepa_framework.cli.session import Session


@click.command()
@config_options
@run_options
@click.pass_obj
def run(session: Session, config: str, sets: tuple[str, ...], display: str, as_json: bool) -> None:  # noqa: ARG001
    """Run GEPA as FILE describes it.

    Progress goes to stderr, the summary to stdout. Ctrl-C once leaves a run that can be resumed.
    """
    from gepa_framework.app import GepaRun
    from gepa_framework.cli.execution import execute

    execute(GepaRun.from_toml(config, sets=sets), session, display=display)
