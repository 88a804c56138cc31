"""How a run is shown while it goes on: one display of four, chosen here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from gepa_framework.cli import output
from gepa_framework.cli.display.base import Display, Guarded
from gepa_framework.cli.display.facts import RunFacts

__all__ = ["Display", "RunFacts", "choose", "make_display"]


def make_display(wanted: str, facts: RunFacts) -> Display:
    """Give the display that was asked for, unable to harm the run.

    Args:
        wanted: ``auto``, ``rich``, ``plain``, ``jsonl`` or ``none``.
        facts: What it is told of the run.
    """
    chosen = choose(wanted, os.environ, terminal=sys.stderr.isatty())
    if wanted == "rich" and chosen != "rich":
        output.talk("warning: stderr is no terminal that a live panel can be drawn on; plain lines instead")
    return Guarded(_make(chosen, facts))


def choose(wanted: str, environ: Mapping[str, str], *, terminal: bool) -> str:
    """Decide between the displays.

    Args:
        wanted: What was asked for.
        environ: ``CI`` asks for plain lines, ``TERM=dumb`` allows nothing else.
        terminal: Whether stderr is a terminal.
    """
    if wanted not in ("auto", "rich"):
        return wanted
    able = terminal and environ.get("TERM") not in ("dumb", "unknown")
    asked = wanted == "rich" or not environ.get("CI")
    return "rich" if able and asked else "plain"


def _make(chosen: str, facts: RunFacts) -> Display:
    if chosen == "rich":
        from gepa_framework.cli.display.rich_display import RichDisplay

        return RichDisplay(facts)
    if chosen == "jsonl":
        from gepa_framework.cli.display.jsonl import JsonlDisplay

        return JsonlDisplay()
    if chosen == "none":
        from gepa_framework.cli.display.none import NoDisplay

        return NoDisplay()
    from gepa_framework.cli.display.plain import PlainDisplay

    return PlainDisplay(facts)
