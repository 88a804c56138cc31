"""``gepa plugins``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gepa_framework.cli import output
from gepa_framework.cli.lazy import LazyGroup, help_if_alone
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.words import clean, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gepa_framework.plugins import Found
    from gepa_framework.types import Kind


def _kind(name: str) -> Kind:
    from gepa_framework.types import Kind

    try:
        # The plural is what the entry-point groups are called.
        return Kind(name.removesuffix("s"))
    except ValueError:
        raise click.BadParameter(f"'{name}' is no kind of plugin; there are: {', '.join(Kind)}") from None


def _optional_kind(_: click.Context, __: click.Parameter, value: str | None) -> Kind | None:
    return None if value is None else _kind(value)


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.pass_context
def plugins(ctx: click.Context) -> None:
    """Look at the installed plugins."""
    help_if_alone(ctx)


@plugins.command("list")
@click.option("--kind", callback=_optional_kind, metavar="KIND", help="Only this kind, such as proposer.")
@click.option("--requirements", is_flag=True, help="Print name==version of the distributions, for pip.")
@json_option
@verbose_option
def list_plugins(kind: Kind | None, requirements: bool, as_json: bool) -> None:
    """List what is installed; imports no plugin."""
    from gepa_framework.plugins import Plugins

    installed = Plugins.discover()
    founds = [found for found in installed.founds() if kind in (None, found.kind)]
    problems = [*installed.problems(), *_hidden(founds)]
    for problem in problems:
        output.talk(f"warning: {clean(problem)}")
    if as_json:
        output.answer_json({"plugins": [_fields(found) for found in founds], "problems": problems})
    elif requirements:
        output.answer("\n".join(sorted({f"{found.dist}=={found.version}" for found in founds})))
    else:
        output.answer(_listed(founds))


def _hidden(founds: Sequence[Found]) -> list[str]:
    """Give one sentence for each extra whose bare name is a command of ours."""
    from gepa_framework.cli.extras import offered
    from gepa_framework.types import Kind

    root = click.get_current_context().find_root()
    ours = root.command.list_commands(root) if isinstance(root.command, click.Group) else []
    return [
        f"{found.owner} has the name of a command of gepa; call it as: gepa {found.qualified}"
        for found in founds
        if found.kind is Kind.EXTRA and not found.scenario and not offered(found.name, ours)
    ]


def _fields(found: Found) -> dict[str, object]:
    return {
        "kind": found.kind.value,
        "name": found.name,
        "distribution": found.dist,
        "version": found.version,
        "target": found.target,
        "state": found.state.value,
        "note": found.note,
    }


def _listed(founds: Sequence[Found]) -> str:
    rows = [(found.kind.value, found.name, found.dist, found.version, found.note) for found in founds]
    return clean("\n".join(table([("kind", "name", "distribution", "version", "state"), *rows])))


@plugins.command("show")
@click.argument("plugin", metavar="KIND:NAME")
@json_option
@verbose_option
def show_plugin(plugin: str, as_json: bool) -> None:
    """Show one plugin, with its configuration as TOML to copy; imports that plugin.

    NAME is DIST:NAME where two distributions offer it.
    """
    from gepa_framework.cli.plugin_page import page, page_fields
    from gepa_framework.plugins import Plugins

    kind, colon, name = plugin.partition(":")
    if not (colon and name):
        raise click.BadParameter(f"'{plugin}' is not KIND:NAME, such as proposer:codex_app_server")
    loaded = Plugins.discover().load(_kind(kind), name)
    if as_json:
        output.answer_json(page_fields(loaded))
    else:
        output.answer(page(loaded))
