"""``gepa init``."""

from __future__ import annotations

from pathlib import Path

import click

from gepa_framework.cli import output
from gepa_framework.cli.options import json_option, verbose_option


@click.command()
@click.option(
    "--path", type=click.Path(path_type=Path), default="gepa.toml", show_default=True, help="File to write."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
@verbose_option
def init(path: Path, force: bool, as_json: bool) -> None:
    """Write a gepa.toml with comments, to be filled in."""
    from gepa_framework.cli.starter import STARTER

    _write(path, STARTER, force=force)
    if as_json:
        output.answer_json({"path": str(path)})
    else:
        output.answer(f"wrote {path}; fill it in, then: gepa check --config {path}")


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        # Mode x refuses a file that is there, even one that appears at this moment.
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{path} exists; --force replaces it, --path names another file") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None
