"""How every failure of the command line becomes words, an exit code and, with ``--json``, an object."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import click

from gepa_framework.cli import output
from gepa_framework.cli.again import resume_command
from gepa_framework.cli.crash import write_report
from gepa_framework.cli.session import Session
from gepa_framework.cli.words import clean
from gepa_framework.errors import (
    ConfigError,
    EventCompareError,
    ExitCode,
    GepaError,
    InterruptedRunError,
    Problem,
    ReplayDivergenceError,
)

_OURS = "this is a bug of gepa-framework, not of yours"
#: Stoppers are the only code of others that the machine asks, and the first suspects.
_PERHAPS_THEIRS = (
    "a stopper that goes by more than its views does this, "
    "and so does other code than the run was started with"
)


@attrs.frozen
class Failure:
    """A failure in the words of the command line.

    Attributes:
        error_code: Stable short name.
        exit_code: What the process ends with.
        lines: For stderr.
        message: What happened.
        hint: What to do about it.
        problems: What is wrong in a configuration, each with its place.
        run_dir: Where a run's files are; empty where there are none.
        difference: What a comparison found first; empty for all other failures.
    """

    error_code: str
    exit_code: int
    lines: tuple[str, ...]
    message: str
    hint: str = ""
    problems: tuple[Problem, ...] = ()
    run_dir: str = ""
    difference: Mapping[str, object] = attrs.field(factory=dict)


def report(error: Exception, session: Session, args: Sequence[str]) -> int:
    """Tell the user of a failure.

    Args:
        error: What reached the outermost frame.
        session: Says how it is to be told.
        args: The command line.

    Returns:
        The exit code.
    """
    failure = _explain(error, session, args)
    if session.verbose and not isinstance(error, click.ClickException | click.Abort | InterruptedRunError):
        output.talk(clean("".join(traceback.format_exception(error)).rstrip()))
    for line in failure.lines:
        output.talk(clean(line))
    # What cannot be parsed has not told the session yet that it wants JSON.
    if session.json or (isinstance(error, click.UsageError) and "--json" in args):
        _answer(failure)
    return int(failure.exit_code)


def _answer(failure: Failure) -> None:
    output.answer_json(
        {
            "error": {
                "error_code": failure.error_code,
                "exit_code": failure.exit_code,
                "message": failure.message,
                "hint": failure.hint,
                "problems": [attrs.asdict(problem) for problem in failure.problems],
                "run_dir": failure.run_dir,
                **({"difference": failure.difference} if failure.difference else {}),
            }
        }
    )


def _explain(error: Exception, session: Session, args: Sequence[str]) -> Failure:
    match error:
        case click.ClickException():
            return _usage(error)
        case click.Abort():
            return _aborted(session)
        case GepaError() if error.exit_code is not ExitCode.BUG:
            return _expected(error)
    return _bug(error, session, args)


def _usage(error: click.ClickException) -> Failure:
    lines = [f"error: {error.format_message()}"]
    context = getattr(error, "ctx", None)
    if context is not None:
        lines = [context.get_usage(), *lines, f"next: {context.command_path} --help"]
    return Failure("gepa_usage_error", error.exit_code, tuple(lines), error.format_message())


def _aborted(session: Session) -> Failure:
    run_dir = _existing(session.run_dir)
    hint = resume_command(run_dir) if run_dir else ""
    lines = ("interrupted", *([f"next: {hint}"] if hint else []))
    return Failure(
        InterruptedRunError.error_code, ExitCode.INTERRUPTED, lines, "interrupted", hint, run_dir=run_dir
    )


def _expected(error: GepaError) -> Failure:
    problems = error.problems if isinstance(error, ConfigError) else ()
    word = "interrupted" if isinstance(error, InterruptedRunError) else "error"
    told = [str(problem) for problem in problems] or [error.message]
    lines = [f"{word}: {text}" for text in told]
    if error.run_dir:
        lines.append(f"the run's files are in {error.run_dir}")
    interrupted = isinstance(error, InterruptedRunError) and error.run_dir
    hint = resume_command(error.run_dir) if interrupted else error.hint
    if hint:
        lines.append(f"next: {hint}")
    return Failure(
        error.error_code,
        error.exit_code,
        tuple(lines),
        error.message,
        error.hint,
        problems,
        error.run_dir,
        error.difference if isinstance(error, EventCompareError) else {},
    )


def _bug(error: Exception, session: Session, args: Sequence[str]) -> Failure:
    path = write_report(error, session.run_dir, args)
    message = f"{type(error).__name__}: {error}"
    code = error.error_code if isinstance(error, GepaError) else "gepa_internal_error"
    theirs = isinstance(error, ReplayDivergenceError)
    hint = (
        f"if it is neither, report it with the file {path}" if theirs else f"report it with the file {path}"
    )
    lines = (
        f"error: {message}",
        _PERHAPS_THEIRS if theirs else _OURS,
        f"next: {hint}",
    )
    run_dir = _existing(session.run_dir)
    return Failure(code, ExitCode.BUG, lines, message, hint, run_dir=run_dir)


def _existing(run_dir: Path | None) -> str:
    return str(run_dir) if run_dir is not None and run_dir.is_dir() else ""
