"""Commands that plugins bring: listed by name without an import, and run when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import click

from gepa_framework.cli import output
from gepa_framework.cli.session import Session
from gepa_framework.cli.words import clean, table

if TYPE_CHECKING:
    from gepa_framework.plugins import ExtraCommands

_GROUP = "gepa_framework.extras"
_HELP = ("-h", "--help")
#: Extras that bring no command but scenarios.
_SCENARIO = "scenario."


def installed() -> list[tuple[str, str]]:
    """Give name and distribution of every extra, sorted; what cannot be read is for ``gepa plugins list``."""
    # The plugins package would cost `gepa --help` more than all else; this is the part of it that is needed.
    from importlib import metadata

    def brings_commands(entry: metadata.EntryPoint) -> bool:
        return entry.group == _GROUP and not entry.name.startswith(_SCENARIO)

    found: set[tuple[str, str]] = set()
    for dist in metadata.distributions():
        try:
            if _GROUP in (dist.read_text("entry_points.txt") or ""):
                found |= {(entry.name, dist.name) for entry in dist.entry_points if brings_commands(entry)}
        except Exception:  # noqa: BLE001, S112 - one distribution's broken metadata must not take the help away
            continue
    return sorted(found)


def offered(name: str, builtin: Sequence[str]) -> bool:
    """Tell whether a word of the command line selects an extra: its name, or ``dist:name``."""
    from packaging.utils import canonicalize_name

    own = {canonicalize_name(command) for command in builtin}
    key = canonicalize_name(name.rpartition(":")[2])
    return (":" in name or key not in own) and key in {canonicalize_name(each) for each, _ in installed()}


def shown(builtin: Sequence[str]) -> list[tuple[str, str]]:
    """Give name and distribution of the extras that a bare name selects; commands of our own come first."""
    return [(name, dist) for name, dist in installed() if offered(name, builtin)]


class ExtraCommand(click.Command):
    """Stands for an extra until it is run; everything behind its name, ``--`` too, is for the extra."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave the arguments as they are."""
        ctx.args = args
        return args

    def invoke(self, ctx: click.Context) -> int:
        """Import the extra, run what is asked for, and give its exit code."""
        return _run(ctx.ensure_object(Session), str(self.name), ctx.args)


def _run(session: Session, name: str, arguments: list[str]) -> int:
    from gepa_framework.cli.logs import show_warnings
    from gepa_framework.plugins import Plugins

    show_warnings(verbose=session.verbose)
    commands = Plugins.discover().commands(name)
    try:
        return _dispatch(commands, name, arguments)
    except BrokenPipeError:
        output.reader_left()
        return 0


def _dispatch(commands: ExtraCommands, name: str, arguments: list[str]) -> int:
    if commands.alone is not None:
        return commands.run(commands.alone, arguments)
    if not arguments or arguments[0] in _HELP:
        output.answer(_listed(commands, name))
        return 0
    spec = commands.named(arguments[0])
    if spec is None:
        _unknown(commands, name, arguments[0])
    return commands.run(spec, arguments[1:])


def _listed(commands: ExtraCommands, name: str) -> str:
    found = commands.found
    head = f"Usage: gepa {name} COMMAND [ARGS]...\n\nCommands of {found.dist} {found.version}:"
    rows = table([(spec.name, spec.help) for spec in commands.specs], indent="  ")
    return clean("\n".join([head, *rows]))


def _unknown(commands: ExtraCommands, name: str, word: str) -> NoReturn:
    import difflib

    names = [spec.name for spec in commands.specs]
    near = difflib.get_close_matches(word, names, n=1)
    cure = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(names)}."
    raise click.UsageError(f"No such command '{name} {word}'. {cure}")
