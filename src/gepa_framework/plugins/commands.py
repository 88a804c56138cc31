"""The commands of an extra: held against what a command may be, and run under their owner's name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from functools import reduce

import attrs
from packaging.utils import canonicalize_name

from gepa_framework.errors import GepaError, PluginBrokenError
from gepa_framework.plugins.found import Found
from gepa_framework.types import CommandSpec

_HOOK = "gepa_cli_commands"
_LAST_EXIT_CODE = 255


@attrs.frozen
class ExtraCommands:
    """What one extra brings to the command line.

    Attributes:
        found: Where it comes from.
        specs: One command or more, of different names.
    """

    found: Found
    specs: tuple[CommandSpec, ...]

    @property
    def alone(self) -> CommandSpec | None:
        """The one command that is the extra itself, where it is of its name and the only one."""
        (first, *more) = self.specs
        return first if not more and canonicalize_name(first.name) == self.found.key else None

    def named(self, name: str) -> CommandSpec | None:
        """Give the command of a name; ``-``, ``_`` and case do not tell names apart."""
        key = canonicalize_name(name)
        return next((spec for spec in self.specs if canonicalize_name(spec.name) == key), None)

    def check(self) -> None:
        """Import what every command names.

        Raises:
            PluginBrokenError: One cannot be imported or called.
        """
        for spec in self.specs:
            self._function(spec)

    def run(self, spec: CommandSpec, arguments: Sequence[str]) -> int:
        """Run one of the commands and give its exit code.

        Raises:
            GepaError: The command raised it.
            PluginBrokenError: It cannot be imported or called, raised something else, or gave no exit code.
        """
        function = self._function(spec)
        where = self._where(spec)
        try:
            given = function(list(arguments))
        except (GepaError, BrokenPipeError):
            raise
        except SystemExit as end:
            # argparse ends a command so; what is no code is what the command wants to be said.
            if not (end.code is None or isinstance(end.code, int)):
                raise GepaError(str(end.code)) from end
            given = end.code
        except Exception as error:
            raise PluginBrokenError(f"{where} raised {type(error).__name__}: {error}") from error
        return _exit_code(where, given)

    def _where(self, spec: CommandSpec) -> str:
        return f"{self.found.owner}: the command '{spec.name}'"

    def _function(self, spec: CommandSpec) -> Callable[[list[str]], object]:
        if not isinstance(spec.run, str):
            return spec.run
        module, _, path = spec.run.partition(":")
        try:
            function: object = reduce(getattr, path.split("."), importlib.import_module(module))
        except (Exception, SystemExit) as error:
            raise PluginBrokenError(
                f"{self._where(spec)} ({spec.run}) did not import: {type(error).__name__}: {error}",
                hint=f"pip install --force-reinstall {self.found.dist}",
            ) from error
        if not callable(function) or inspect.iscoroutinefunction(function):
            raise PluginBrokenError(
                f"{self._where(spec)} ({spec.run}) is no plain function but {function!r}",
                hint="it takes a list of arguments and returns an exit code",
            )
        return function


def _exit_code(where: str, given: object) -> int:
    if given is None:
        return 0
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= _LAST_EXIT_CODE:
        return given
    raise PluginBrokenError(
        f"{where} ended with {given!r}", hint="return an exit code from 0 to 255, or None for 0"
    )


def checked_commands(found: Found, given: object) -> ExtraCommands:
    """Give what `gepa_cli_commands` returned once it has proved right.

    Raises:
        PluginBrokenError: It is no sequence of commands, holds none, or two of one name.
    """
    if given is None:
        raise PluginBrokenError(
            f"{found.owner} brings no command", hint=f"perhaps it is for: gepa report RUN --with {found.name}"
        )
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise PluginBrokenError(
            f"{found.owner}: {_HOOK} returned {given!r}", hint="return a sequence of CommandSpec"
        )
    odd = [each for each in given if not isinstance(each, CommandSpec)]
    if not given or odd:
        what = f"{odd[0]!r} among the commands" if odd else "no command"
        raise PluginBrokenError(f"{found.owner}: {_HOOK} returned {what}", hint="return CommandSpec(...)")
    keys = [canonicalize_name(spec.name) for spec in given]
    if twice := [spec.name for spec, key in zip(given, keys, strict=True) if keys.count(key) > 1]:
        raise PluginBrokenError(
            f"{found.owner}: {_HOOK} returned two commands of one name: {', '.join(twice)}",
            hint="names that differ by '-', '_' or case only are one name",
        )
    return ExtraCommands(found, tuple(given))
