"""Where runs are looked for: a directory, or an id below the output directory."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path

import click

#: Where runs are unless ./gepa.toml says otherwise.
RUNS = Path("runs")
_CONFIG = Path("gepa.toml")


def output_dir() -> Path:
    """Give the output directory of ./gepa.toml, or ./runs where there is none or it names none.

    Raises:
        click.UsageError: ./gepa.toml cannot be read.
    """
    try:
        found = tomllib.loads(_CONFIG.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return RUNS
    except (OSError, ValueError) as error:
        raise click.UsageError(
            f"{_CONFIG}, which names the output directory, cannot be read: {error}. Name the directory."
        ) from error
    table = found.get("run")
    given = table.get("output_dir") if isinstance(table, dict) else None
    return _CONFIG.parent / given if isinstance(given, str) and given else RUNS


def find_run(name: str) -> Path:
    """Give the directory of a run.

    Args:
        name: Its path, or its id.

    Raises:
        click.BadParameter: There is no such run; the message names the nearest one.
    """
    if Path(name).is_dir():
        return Path(name)
    runs = output_dir()
    if (runs / name).is_dir():
        return runs / name
    raise click.BadParameter(
        f"there is no directory '{name}' and none in ./{runs}{near_run(runs, name)}", param_hint="RUN"
    )


def near_run(runs: Path, name: str) -> str:
    """Ask whether the run of the nearest id was meant, where there is one."""
    ids = [entry.name for entry in runs.iterdir() if entry.is_dir()] if runs.is_dir() else []
    near = difflib.get_close_matches(name, ids, n=1)
    return f". Did you mean '{near[0]}'?" if near else ""
