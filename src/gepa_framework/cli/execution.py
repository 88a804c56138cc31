"""What `gepa run` and `gepa resume` have in common: a run under a display, and its summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gepa_framework.cli import output
from gepa_framework.cli.again import resume_command
from gepa_framework.cli.display import Display, RunFacts, make_display
from gepa_framework.cli.logs import show_warnings
from gepa_framework.cli.session import Session
from gepa_framework.cli.summary import summary
from gepa_framework.cli.words import clean

if TYPE_CHECKING:
    from gepa_framework.app import GepaRun, GepaRunResult


def execute(run: GepaRun, session: Session, *, display: str) -> None:
    """Execute a run and tell what came of it.

    Args:
        run: The run.
        session: Says whether the answer is JSON, and is told where the run is.
        display: The display that was asked for.

    Raises:
        GepaError: What `GepaRun.execute` raises.
    """
    session.run_dir = run.run_dir
    show_warnings(verbose=session.verbose)
    warn(run)
    if run.awaits_preflight:
        scenario = clean(str(run.loaded.config.run.scenario))
        output.talk(f"preflight of {scenario}: tools, variables and one rollout of the seed")
    over = run.already_finished
    if over:
        output.talk("this run is finished already; its result:")
        # There is nothing to watch; but who reads events gets those on record.
        display = "jsonl" if display == "jsonl" else "none"
    shown = make_display(display, RunFacts.of(run))
    try:
        shown.start()
        result = run.execute(
            listeners=[shown], handle_signals=True, on_interrupt=lambda: _interrupted(shown, run)
        )
    finally:
        shown.close()
    _conclude(result, session, jsonl=display == "jsonl", over=over)


def warn(run: GepaRun) -> None:
    """Say what the configuration asks for in vain."""
    for warning in run.warnings:
        output.talk(f"warning: {clean(str(warning))}")


def _interrupted(shown: Display, run: GepaRun) -> None:
    shown.notice("interrupted: finishing what is under way, for a few seconds; Ctrl-C again stops at once")
    shown.notice(f"to go on later: {resume_command(run.run_dir)}")


def _conclude(result: GepaRunResult, session: Session, *, jsonl: bool, over: bool) -> None:
    if session.json:
        output.answer_json({**({"already_finished": True} if over else {}), **result.to_dict()})
    elif jsonl:
        output.talk(summary(result))
    else:
        output.answer(summary(result))
