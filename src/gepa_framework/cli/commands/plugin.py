"""``gepa plugin``."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gepa_framework.cli import output
from gepa_framework.cli.lazy import LazyGroup, help_if_alone
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.words import clean

if TYPE_CHECKING:
    from gepa_framework.scaffold import Named
    from gepa_framework.types import Kind


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.pass_context
def plugin(ctx: click.Context) -> None:
    """Write a plugin of your own."""
    help_if_alone(ctx)


@plugin.command("new")
@click.argument("kind", metavar="KIND")
@click.argument("name", metavar="NAME", required=False)
@click.option("--cookbook", is_flag=True, help="A task with its data and a proposer; KIND may be left out.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory to write; by default the name of the distribution.",
)
@json_option
@verbose_option
def new_plugin(kind: str, name: str | None, cookbook: bool, directory: Path | None, as_json: bool) -> None:
    """Write a distribution with a plugin that works, its tests and its workflow, to be changed into yours."""
    from gepa_framework.errors import GepaError
    from gepa_framework.scaffold import named, write

    wanted, called, scenario = _asked_for(kind, name, cookbook=cookbook)
    try:
        new = named(wanted, called, cookbook=cookbook, scenario=scenario)
        place = directory or new.directory
        paths = write(new, place)
    except GepaError as error:
        raise click.UsageError(str(error)) from error
    warnings = _taken(new)
    for warning in warnings:
        output.talk(f"warning: {clean(warning)}")
    if as_json:
        fields = {"kind": new.kind.value, "name": new.entry, "distribution": new.dist, "module": new.module}
        output.answer_json({**fields, "path": str(place), "files": list(paths), "warnings": warnings})
    else:
        output.answer(_told(new, place, paths))


def _asked_for(kind: str, name: str | None, *, cookbook: bool) -> tuple[Kind, str, bool]:
    """Give kind, name, and whether it is a scenario.

    A cookbook brings a proposer, so that its kind need not be said; a scenario is an extra of a certain name.
    """
    from gepa_framework.scaffold import SCENARIO
    from gepa_framework.types import Kind

    if name is None:
        if not cookbook:
            raise click.UsageError(f"what is the {kind} to be called? Missing argument 'NAME'.")
        return Kind.PROPOSER, kind, False
    known = [*(each.value for each in Kind), SCENARIO]
    if kind not in known:
        near = difflib.get_close_matches(kind.removesuffix("s"), known, n=1)
        cure = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}"
        raise click.UsageError(f"'{kind}' is no kind of plugin; {cure}")
    if cookbook and kind != Kind.PROPOSER:
        raise click.UsageError(f"a cookbook brings a proposer, not a {kind}; leave the kind out")
    scenario = kind == SCENARIO
    return Kind.EXTRA if scenario else Kind(kind), name, scenario


def _taken(new: Named) -> list[str]:
    """Give a sentence for each installed thing that has the name already."""
    from packaging.utils import canonicalize_name

    from gepa_framework.plugins import Plugins
    from gepa_framework.types import Kind

    key, dist = canonicalize_name(new.entry), canonicalize_name(new.dist)
    found = [
        f"{each.owner} has this name; where both are installed, select yours as '{new.dist}:{new.entry}'"
        for each in Plugins.discover().founds()
        if (each.kind, each.key) == (new.kind, key) and canonicalize_name(each.dist) != dist
    ]
    root = click.get_current_context().find_root()
    ours = root.command.list_commands(root) if isinstance(root.command, click.Group) else []
    if new.kind is Kind.EXTRA and new.entry in ours:
        found.append(f"gepa has a command of this name; call yours as: gepa {new.dist}:{new.name}")
    return found


def _told(new: Named, place: Path, paths: tuple[str, ...]) -> str:
    from gepa_framework.types import Kind

    last = f"gepa plugins show {new.kind}:{new.entry}"
    if new.kind is Kind.EXTRA:
        last = f"gepa {new.name} --help"
    if new.cookbook:
        last = "gepa run --config gepa.toml"
    if new.scenario:
        last = f"gepa init --scenario {new.name} --path mine.toml && gepa run --config mine.toml"
    lines = [
        f"wrote {place}, the distribution {new.dist}:",
        *(f"  {path}" for path in paths),
        "next:",
        f"  cd {place}",
        "  python -m pip install -e . --group test",
        "  python -m pytest",
        f"  gepa plugins check {new.kind}:{new.entry}",
        f"  {last}",
    ]
    return clean("\n".join(lines))
