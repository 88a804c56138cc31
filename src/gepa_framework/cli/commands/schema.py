"""``gepa schema``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from gepa_framework.cli import output
from gepa_framework.cli.again import program
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.session import Session
from gepa_framework.cli.words import clean
from gepa_framework.cli.writing import write_file


@click.command()
@click.option("--output", "path", type=click.Path(path_type=Path), metavar="FILE", help="Write it to FILE.")
@click.option("--check", is_flag=True, help="Write nothing; fail if FILE holds anything else.")
@click.option(
    "--dist",
    "dists",
    multiple=True,
    metavar="NAME",
    help="Only plugins of this distribution; may be given again.",
)
@json_option
@verbose_option
@click.pass_obj
def schema(session: Session, path: Path | None, check: bool, dists: tuple[str, ...], as_json: bool) -> None:
    """Give the JSON Schema of a gepa.toml with the installed plugins; imports them."""
    from gepa_framework.app.schema import check_fresh, installed_schema
    from gepa_framework.cli.logs import show_warnings

    if check and path is None:
        raise click.UsageError("--check needs --output FILE: the file to be checked")
    show_warnings(verbose=session.verbose)
    made = installed_schema(dists)
    for message in made.left_out:
        output.talk(f"warning: left out: {clean(message)}")
    if path is None:
        output.answer(made.text().rstrip("\n"))
        return
    if check:
        check_fresh(path, made.text(), _command(path, dists))
    else:
        write_file(path, made.text())
    told = f"{path} is fresh" if check else f"wrote {path}"
    if as_json:
        output.answer_json({"path": str(path), "fresh": True, "left_out": list(made.left_out)})
    else:
        output.answer(told)


def _command(path: Path, dists: tuple[str, ...]) -> str:
    chosen = [word for dist in dists for word in ("--dist", dist)]
    return shlex.join([program(), "schema", "--output", str(path), *chosen])
