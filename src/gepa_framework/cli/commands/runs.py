"""``gepa runs``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gepa_framework.cli import output, told
from gepa_framework.cli.lazy import LazyGroup, help_if_alone
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.places import find_run, output_dir
from gepa_framework.cli.words import clean, count, dollars, table, with_error

if TYPE_CHECKING:
    from gepa_framework.app.inspect.listing import RunRow
    from gepa_framework.app.inspect.sizes import RunSize
    from gepa_framework.app.upkeep import Compacted


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.pass_context
def runs(ctx: click.Context) -> None:
    """Look at the runs of a directory, and keep it tidy."""
    help_if_alone(ctx)


_directory = click.argument("directory", required=False, metavar="[DIR]")


def _where(directory: str | None) -> Path:
    return Path(directory) if directory is not None else output_dir()


@runs.command("list")
@_directory
@json_option
@verbose_option
def list_runs(directory: str | None, as_json: bool) -> None:
    """List runs with their status, best score, verdict, cost and size; the one written last comes first.

    DIR is the directory that holds the runs: by default the output directory of ./gepa.toml, or ./runs.
    """
    from gepa_framework.app.inspect import as_json as plain
    from gepa_framework.app.inspect.listing import list_runs as listed

    where = _where(directory)
    rows = listed(where)
    if as_json:
        output.answer_json({"directory": str(where), "runs": [plain(row) for row in rows]})
    else:
        output.answer(_list(where, rows))


def _list(where: Path, rows: Sequence[RunRow]) -> str:
    if not rows:
        return clean(f"there are no runs in {where}")
    heads = ("run", "status", "best", "heldout", "rollouts", "cost", "age", "size")
    lines = table([heads, *map(_row, rows)])
    lines += [f"{row.run_id}: {row.problem}" for row in rows if row.problem]
    return clean("\n".join(lines))


def _row(row: RunRow) -> tuple[str, ...]:
    status = f"{row.status} ({row.holder})" if row.holder else row.status
    best = with_error(row.best_score, row.best_stderr) if row.best_candidate_id else "-"
    cost = dollars(row.cost_usd) if row.cost_usd is not None else f">= {dollars(row.known_usd)}"
    return (
        row.run_id,
        status,
        best,
        row.verdict or "-",
        f"{row.rollouts:,}",
        "-" if row.problem else cost,
        told.age(row.age_seconds),
        told.size(row.bytes),
    )


@runs.command("show")
@click.argument("run")
@json_option
@verbose_option
def show_run(run: str, as_json: bool) -> None:
    """Show how a run stands, what it found, what it took, and where.

    RUN is the directory of a run, or the id of one below the output directory.
    """
    from gepa_framework.app.inspect import as_json as plain
    from gepa_framework.app.inspect.whole import look_at_run

    seen = look_at_run(find_run(run))
    if as_json:
        output.answer_json(plain(seen))
        return
    heads = ("boundary", "calls", "unpriced", "cost")
    costs = [
        (each.boundary, f"{each.calls:,}", f"{each.unpriced:,}", dollars(each.cost_usd))
        for each in seen.costs.boundaries
    ]
    lines = [*told.overview(seen), *(["", *table([heads, *costs])] if costs else [])]
    output.answer(clean("\n".join(lines)))


@runs.command("du")
@_directory
@json_option
@verbose_option
def du(directory: str | None, as_json: bool) -> None:
    """Tell what the files of runs take, by kind; the largest run comes first.

    DIR is the directory that holds the runs: by default the output directory of ./gepa.toml, or ./runs.
    """
    from gepa_framework.app.inspect import as_json as plain
    from gepa_framework.app.inspect.listing import run_dirs
    from gepa_framework.app.inspect.sizes import size_of

    where = _where(directory)
    sizes = sorted(map(size_of, run_dirs(where)), key=lambda each: -each.bytes)
    total = sum(each.bytes for each in sizes)
    if as_json:
        answer = {"directory": str(where), "bytes": total, "runs": [plain(each) for each in sizes]}
        output.answer_json(answer)
    else:
        output.answer(clean("\n".join([*_sizes(sizes), f"{told.size(total)} in {count(len(sizes), 'run')}"])))


def _sizes(sizes: Sequence[RunSize]) -> list[str]:
    rows = [(each.run_id, told.size(each.bytes), _kinds(each)) for each in sizes]
    return table([("run", "size", "of which"), *rows]) if rows else []


def _kinds(size: RunSize) -> str:
    return ", ".join(f"{kind} {told.size(number)}" for kind, number in size.kinds.items())


@runs.command("compact")
@click.argument("run")
@click.option("--exports", is_flag=True, help="Drop the exports too that gepa resume can write again.")
@json_option
@verbose_option
def compact(run: str, exports: bool, as_json: bool) -> None:
    """Make the files of a run that is over smaller.

    RUN is the directory of a run, or the id of one below the output directory. Nothing on record is lost.
    """
    from gepa_framework.app.inspect import as_json as plain
    from gepa_framework.app.upkeep import compact_run

    done = compact_run(find_run(run), exports=exports)
    if as_json:
        output.answer_json({**plain(done), "won": done.before - done.after})
    else:
        output.answer(clean(_compacted(done)))


def _compacted(done: Compacted) -> str:
    won = f"{done.run_id}: {told.size(done.before)} -> {told.size(done.after)}"
    lines = [f"{won}, {told.size(max(done.before - done.after, 0))} won"]
    if not done.journal:
        lines.append("its journal is in another store, which keeps itself in order")
    if done.dropped:
        lines.append(f"dropped: {', '.join(done.dropped)}")
        lines.append(f"gepa resume {done.run_dir} writes them again; gepa verify wants them")
    return "\n".join(lines)


@runs.command("delete")
@click.argument("run", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@verbose_option
def delete(run: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete runs with all their files, after asking.

    RUN is the directory of a run, or the id of one below the output directory; several may be given.
    """
    from gepa_framework.app.inspect import as_json as plain
    from gepa_framework.app.inspect.sizes import size_of
    from gepa_framework.app.upkeep import deletable, delete_run

    paths = list(dict.fromkeys(find_run(name) for name in run))
    for path in paths:
        deletable(path)
    if not yes:
        if as_json:
            raise click.UsageError("with --json nobody is asked: say --yes")
        for path in paths:
            output.talk(clean(f"{path}: {told.size(size_of(path).bytes)}"))
        click.confirm(f"Delete {count(len(paths), 'run')} for good?", abort=True, err=True)
    done = [delete_run(path) for path in paths]
    if as_json:
        output.answer_json({"deleted": [plain(each) for each in done]})
        return
    for each in done:
        output.answer(clean(f"deleted {each.run_dir}, {told.size(each.bytes)}"))
        if each.journal:
            output.talk(clean(f"warning: its journal may still be in {each.journal}"))
