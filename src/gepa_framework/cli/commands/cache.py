"""``gepa cache``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gepa_framework.cli import output
from gepa_framework.cli.lazy import LazyGroup, help_if_alone
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.words import clean, count, table

if TYPE_CHECKING:
    from gepa_framework.builtin.cache_upkeep import Statistics

_KIB = 1024


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.pass_context
def cache(ctx: click.Context) -> None:
    """Look at a cache of the sqlite backend, and make it smaller."""
    help_if_alone(ctx)


@cache.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@verbose_option
def stat(file: Path, as_json: bool) -> None:
    """Count what is in FILE, by namespace and boundary. Nothing is written."""
    from gepa_framework.builtin.cache_upkeep import statistics

    found = statistics(file.absolute())
    if as_json:
        output.answer_json(_fields(found))
    else:
        output.answer(_text(found))


@cache.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--max-mib",
    type=click.IntRange(min=0),
    metavar="MIB",
    help="Drop what was not used for longest until the rest takes so much.",
)
@click.option("--namespace", metavar="NAME", help="Drop everything of this cache.namespace.")
@json_option
@verbose_option
def prune(file: Path, max_mib: int | None, namespace: str | None, as_json: bool) -> None:
    """Drop answers from FILE, and give back the room that they took."""
    from gepa_framework.builtin.cache_upkeep import prune as drop

    if max_mib is None and namespace is None:
        raise click.UsageError("nothing to drop was named; give --max-mib or --namespace")
    dropped, left = drop(file.absolute(), max_mib=max_mib, namespace=namespace)
    if as_json:
        output.answer_json({"dropped": dropped, **_fields(left)})
    else:
        output.answer(f"{count(dropped, 'answer')} dropped\n\n{_text(left)}")


def _fields(found: Statistics) -> dict[str, object]:
    import attrs

    return {
        "path": str(found.path),
        "file_bytes": found.file_bytes,
        "count": found.count,
        "answers": [attrs.asdict(each) for each in found.answers],
    }


def _text(found: Statistics) -> str:
    rows = [
        (each.namespace, each.boundary, count(each.count, "answer"), f"{each.bytes / _KIB:,.1f} KiB")
        for each in found.answers
    ]
    total = f"{count(found.count, 'answer')} in {found.path}, {found.file_bytes / _KIB:,.1f} KiB"
    return clean("\n".join([*table(rows), total]))
