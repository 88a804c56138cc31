"""What an extra may bring besides objects of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gepa_framework.hookspecs import hookspec

if TYPE_CHECKING:
    from gepa_framework.types import CommandSpec, ReportRun, ReportSection, Scenario


@hookspec
def gepa_cli_commands() -> Sequence[CommandSpec] | None:
    """Give the commands that ``gepa NAME`` offers, where NAME is the extra's own name.

    Called: when the user types that name; must do no IO.

    :return: One command or more, of different names. One alone, of the extra's own name, is ``gepa NAME``;
        otherwise they are ``gepa NAME COMMAND``.

    Result: the selected plugin's alone.
    If it raises: nothing is run; exit code 4.
    Since: 1.0
    """


@hookspec
def gepa_report_sections(run: ReportRun) -> Sequence[ReportSection] | None:
    """Give sections that ``gepa report --with NAME`` adds to a report, where NAME is the extra's own name.

    Called: once for a report that names the extra, after the run was read; may read below ``run.run_dir`` and
        must write nothing. The run may be under way, or have nothing on record.

    :param run: The run as the report tells of it.
    :return: The sections in their order; none where there is nothing to say.

    Result: the sections of each named plugin, in the order in which they are named.
    If it raises: the report has a note in place of the section, which names the plugin; exit code 0.
    Since: 1.0
    """


@hookspec
def gepa_scenarios() -> Sequence[Scenario] | None:
    """Give the scenarios of an extra that is called ``scenario.NAME``: tasks that are ready to be run.

    Called: when one of them is named, or when ``gepa scenario list`` tells of all; must do no IO.

    :return: One scenario or more, of different ids. An id is NAME or NAME/VARIANT.

    Result: the selected plugin's alone; ``gepa scenario list`` collects those of all.
    If it raises: that scenario cannot be used; exit code 4. ``gepa scenario list`` tells of the others.
    Since: 1.0
    """
