"""What ``gepa plugins check`` found, in words and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gepa_framework.cli.words import clean, count, one_line, table

if TYPE_CHECKING:
    from gepa_framework.plugins import Probed

_HEAD = ("kind", "name", "distribution", "version", "state")


def verdict_fields(probed: Probed) -> dict[str, object]:
    """Give what was found of one plugin as JSON."""
    found = probed.found
    return {
        "kind": found.kind.value,
        "name": found.name,
        "distribution": found.dist,
        "version": found.version,
        "target": found.target,
        "ok": probed.ok,
        "error_code": probed.error_code,
        "message": probed.message,
        "hint": probed.hint,
        "note": probed.note,
        "seconds": round(probed.seconds, 3),
        "stderr": probed.said,
    }


def verdicts_text(verdicts: Sequence[Probed], *, verbose: bool) -> str:
    """Give what was found as text: a line for each plugin, and then what is wrong with whose.

    Args:
        verdicts: What was found.
        verbose: Show the end of what a plugin with a problem wrote to stderr.
    """
    wrong = [probed for probed in verdicts if not probed.ok]
    lines = [line for probed in wrong for line in ("", *_problem(probed, verbose=verbose))]
    total = f"{count(len(verdicts), 'plugin')} looked at, {len(wrong) or 'none'} with a problem"
    return clean("\n".join([*table([_HEAD, *map(_row, verdicts)]), *lines, "", total]))


def _row(probed: Probed) -> tuple[str, ...]:
    found = probed.found
    state = probed.error_code or (f"ok, {one_line(probed.note, 80)}" if probed.note else "ok")
    return (found.kind.value, found.name, found.dist, found.version, state)


def _problem(probed: Probed, *, verbose: bool) -> list[str]:
    said = [f"  | {line}" for line in probed.said.splitlines()] if verbose else []
    return [f"error: {probed.message}", *([f"next: {probed.hint}"] if probed.hint else []), *said]
