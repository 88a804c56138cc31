"""``gepa scenario``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from gepa_framework.cli import output
from gepa_framework.cli.lazy import LazyGroup, help_if_alone
from gepa_framework.cli.options import json_option, optional_config_options, verbose_option
from gepa_framework.cli.session import Session
from gepa_framework.cli.words import clean

if TYPE_CHECKING:
    from gepa_framework.app import GepaRun
    from gepa_framework.app.scenarios import Check


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.pass_context
def scenario(ctx: click.Context) -> None:
    """Look at tasks that are ready to be run, and try one out."""
    help_if_alone(ctx)


@scenario.command("list")
@json_option
@verbose_option
def list_scenarios(as_json: bool) -> None:
    """List the scenarios that are installed; imports the extras that bring them."""
    from gepa_framework.app.scenarios import listed_scenarios
    from gepa_framework.cli.scenario_page import listed_fields, listed_text
    from gepa_framework.plugins import Plugins

    listed = listed_scenarios(Plugins.discover())
    for each in listed:
        if each.problem:
            output.talk(f"warning: {clean(each.problem)}")
    if as_json:
        output.answer_json(listed_fields(listed))
    else:
        output.answer(listed_text(listed))


@scenario.command("show")
@click.argument("name", metavar="ID")
@json_option
@verbose_option
def show_scenario(name: str, as_json: bool) -> None:
    """Show what a scenario needs and what its scores look like; imports the extra that brings it."""
    from gepa_framework.cli.scenario_page import page, page_fields
    from gepa_framework.plugins import Plugins

    found = Plugins.discover().scenario(name)
    if as_json:
        output.answer_json(page_fields(found))
    else:
        output.answer(page(found))


@scenario.command("preflight")
@click.argument("name", metavar="ID")
@optional_config_options
@json_option
@verbose_option
@click.pass_obj
def preflight_scenario(
    session: Session, name: str, config: str | None, sets: tuple[str, ...], as_json: bool
) -> None:
    """Check tools and variables, start the container and run one rollout of the seed; begin no run."""
    from gepa_framework.cli.logs import show_warnings

    show_warnings(verbose=session.verbose)
    checks = _run(name, config, sets).preflight(name, on_check=_tell)
    if as_json:
        output.answer_json({"ok": True, "scenario": name, "checks": [attrs.asdict(each) for each in checks]})
    else:
        output.answer(f"scenario {clean(name)} is ready: {len(checks)} checks passed")


def _run(name: str, config: str | None, sets: tuple[str, ...]) -> GepaRun:
    from gepa_framework.app import GepaRun

    return GepaRun.from_scenario(name, sets=sets) if config is None else GepaRun.from_toml(config, sets=sets)


def _tell(check: Check) -> None:
    output.talk(clean(f"{'ok' if check.ok else 'FAILED':>6}  {check.name}: {check.detail}"))
