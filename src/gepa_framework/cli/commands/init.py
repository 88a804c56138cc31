"""``gepa init``."""

from __future__ import annotations

from pathlib import Path

import click

from gepa_framework.cli import output
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.words import clean
from gepa_framework.cli.writing import write_file


@click.command()
@click.option(
    "--path", type=click.Path(path_type=Path), default="gepa.toml", show_default=True, help="File to write."
)
@click.option("--scenario", metavar="ID", help="Begin with this scenario; gepa scenario list has all.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
@verbose_option
def init(path: Path, scenario: str | None, force: bool, as_json: bool) -> None:
    """Write a gepa.toml with comments and its JSON Schema: to be filled in, or that of a scenario."""
    from gepa_framework.app.scenarios import scenario_text
    from gepa_framework.app.schema import FILE, installed_schema, is_schema
    from gepa_framework.cli.starter import STARTER
    from gepa_framework.plugins import Plugins

    beside = path.parent / FILE
    if beside.exists() and not force and not is_schema(beside):
        raise click.UsageError(f"{beside} exists and is no schema of ours; --force replaces it")
    chosen = None if scenario is None else Plugins.discover().scenario(scenario)
    made = installed_schema()
    for message in made.left_out:
        output.talk(f"warning: left out of {beside}: {clean(message)}")
    write_file(path, scenario_text(chosen, made.schema) if chosen else STARTER, force=force)
    write_file(beside, made.text())
    if as_json:
        named = {"scenario": chosen.id} if chosen else {}
        output.answer_json({"path": str(path), "schema_path": str(beside), **named})
    elif chosen:
        output.answer(f"wrote {path} and {beside}; run it: gepa run --config {path}")
    else:
        output.answer(f"wrote {path} and {beside}; fill it in, then: gepa check --config {path}")
