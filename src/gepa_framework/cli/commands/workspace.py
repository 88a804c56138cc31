"""``gepa workspace``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gepa_framework.cli import output
from gepa_framework.cli.lazy import LazyGroup, help_if_alone
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.places import find_run
from gepa_framework.cli.session import Session
from gepa_framework.cli.words import clean, count, table

if TYPE_CHECKING:
    from gepa_framework.app import Rebuilt, WorkspaceCheck
    from gepa_framework.app.status import Projection
    from gepa_framework.workspace import Violation

#: So many violations are shown.
_SHOWN = 20


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.pass_context
def workspace(ctx: click.Context) -> None:
    """Check the record of a run, and make again what is derived from it."""
    help_if_alone(ctx)


@workspace.command()
@click.argument("run")
@json_option
@verbose_option
@click.pass_context
def check(ctx: click.Context, run: str, as_json: bool) -> None:
    """Check every invariant of a run's record, every link of its journal, and everything derived from it.

    RUN is the directory of a run, its workspace.sqlite, or the id of one below the output directory. The run
    may go on. What was found is left in workspace_check.json, for gepa status.
    """
    from gepa_framework.app import check_workspace
    from gepa_framework.cli.logs import show_warnings

    show_warnings(verbose=ctx.ensure_object(Session).verbose)
    found = check_workspace(Path(run) if Path(run).is_file() else find_run(run))
    if found.unkept:
        output.talk(f"warning: the report could not be left in the run's directory: {clean(found.unkept)}")
    if as_json:
        output.answer_json({**found.to_dict(), **_error(found)})
    else:
        output.answer(clean("\n".join(_check_lines(found))))
        if (error := found.error) is not None:
            output.talk(clean(f"error: {error.message}\nnext: {error.hint}"))
    ctx.exit(int(found.exit_code))


def _error(found: WorkspaceCheck) -> dict[str, object]:
    error = found.error
    if error is None:
        return {}
    return {
        "error": {
            "error_code": error.error_code,
            "exit_code": int(found.exit_code),
            "message": error.message,
            "hint": error.hint,
            "problems": [],
            "run_dir": str(found.run_dir),
        }
    }


def _check_lines(found: WorkspaceCheck) -> Iterator[str]:
    report = found.report
    behind = [each for each in found.projections if each.status.value != "fresh"]
    rows = [
        ("run", f"{found.run_id} in {found.run_dir}, {found.state}"),
        ("journal", "damaged" if found.damage else _journal(found)),
        ("invariants", f"{report.invariants} checked, {len(report.violated)} violated"),
        ("derived", f"{count(len(found.projections), 'projection')}, {len(behind)} not fresh"),
    ]
    yield from table(rows)
    yield from _section("damage", found.damage)
    yield from _section("violations", [_violation(each) for each in found.violations[:_SHOWN]])
    if len(found.violations) > _SHOWN:
        yield f"  and {len(found.violations) - _SHOWN} more: --json has all"
    yield from _section("not fresh", [_projection(each) for each in behind])
    if found.ok:
        yield "\nchecked: the record is sound"


def _journal(found: WorkspaceCheck) -> str:
    report = found.report
    return f"{count(report.inputs, 'input')}, {count(report.events, 'event')}, each chained to the one before"


def _section(name: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"\n{name}:"
        yield from (f"  {line}" for line in lines)


def _violation(each: Violation) -> str:
    subject = f"{each.subject_type} {each.subject_id}"
    return f"{each.severity.value}: {subject}: {each.message} ({each.invariant_id})"


def _projection(each: Projection) -> str:
    behind = f"{each.lag_count} of {each.source_count} {each.source} behind"
    told = f"{each.projection_name} is {each.status.value}, {behind}"
    return f"{told}: {each.details}" if each.details else told


@workspace.command()
@click.argument("run")
@json_option
@verbose_option
@click.pass_obj
def rebuild(session: Session, run: str, as_json: bool) -> None:
    """Prove a run's journal by a replay, and make everything again that is derived from it.

    RUN is the directory of a run, or the id of one below the output directory; nobody may work on it. The
    journal is not changed, and one that is damaged is refused, with the row that is.
    """
    from gepa_framework.app import rebuild_workspace
    from gepa_framework.cli.logs import show_warnings

    show_warnings(verbose=session.verbose)
    done = rebuild_workspace(find_run(run))
    if as_json:
        output.answer_json({"ok": True, **done.to_dict()})
    else:
        output.answer(clean("\n".join(_rebuilt_lines(done))))


def _rebuilt_lines(done: Rebuilt) -> Iterator[str]:
    rows = [
        ("run", f"{done.run_id} in {done.run_dir}"),
        ("journal", f"{count(done.inputs, 'input')}, {count(done.events, 'event')}, each proved"),
        ("as it was", ", ".join(done.kept) or "nothing"),
        ("made again", ", ".join(done.changed) or "nothing"),
    ]
    yield from table(rows)
