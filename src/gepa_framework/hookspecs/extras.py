"""What an extra may bring besides objects of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gepa_framework.hookspecs import hookspec

if TYPE_CHECKING:
    from gepa_framework.types import CommandSpec


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
