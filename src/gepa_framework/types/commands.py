"""A command of the command line that a plugin brings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

#: Takes the arguments behind the command's name; gives the exit code, ``None`` for 0.
Run: TypeAlias = "Callable[[list[str]], int | None]"

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def _command_name(_: Any, __: Any, value: Any) -> None:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"a command's name is lower case words joined by '-', not {value!r}")


def _line(_: Any, __: Any, value: Any) -> None:
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise ValueError(f"a command's help is one line, not {value!r}")


def _runnable(_: Any, __: Any, value: Any) -> None:
    if isinstance(value, str):
        if not _TARGET.fullmatch(value):
            raise ValueError(f"a command is run by 'module:function', not {value!r}")
    elif not callable(value) or inspect.iscoroutinefunction(value):
        raise TypeError(f"a command is run by 'module:function' or a plain function, not {value!r}")


@attrs.frozen
class CommandSpec:
    """One command that an extra brings.

    Attributes:
        name: What is typed: lower case words joined by ``-`` or ``_``.
        help: One line for whoever asks what there is.
        run: The function, or ``module:function``, which is imported when the command is run. It takes the
            arguments behind the command's name as a list, ``--help`` among them, and gives the exit code, 0
            to 255, or ``None`` for 0. `SystemExit`, such as `argparse` raises, ends the command as it says.
    """

    name: str = attrs.field(validator=_command_name)
    help: str = attrs.field(validator=_line)
    run: str | Run = attrs.field(validator=_runnable)
