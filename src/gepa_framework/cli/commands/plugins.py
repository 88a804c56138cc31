"""``gepa plugins``."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

from gepa_framework.cli import output
from gepa_framework.cli.lazy import LazyGroup, help_if_alone
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.session import Session
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
    """Look at the installed plugins, and prove that they can be used."""
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


@plugins.command("check")
@click.argument("names", nargs=-1, metavar="[[KIND:]NAME]...")
@click.option("--kind", callback=_optional_kind, metavar="KIND", help="Only this kind, such as proposer.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="How long one plugin may take from its import on.",
)
@json_option
@verbose_option
@click.pass_obj
def check_plugins(
    session: Session, names: tuple[str, ...], kind: Kind | None, timeout: float, as_json: bool
) -> int:
    """Import and build plugins, each in a process of its own, and say what is wrong with which.

    All plugins where no NAME is given. NAME is DIST:NAME where two distributions offer it.
    """
    from gepa_framework.cli.plugin_verdicts import verdict_fields, verdicts_text
    from gepa_framework.config.examining import check_plugins as look_at
    from gepa_framework.errors import ExitCode
    from gepa_framework.plugins import Plugins

    installed = Plugins.discover()
    founds = [found for found in installed.founds() if kind in (None, found.kind)]
    # Of the plugins that were named, or of all: what has no readable metadata is no plugin.
    problems = [] if names else list(installed.problems())
    verdicts = list(look_at(_named(founds, names) if names else founds, timeout))
    ok = not problems and all(probed.ok for probed in verdicts)
    if as_json:
        fields = [verdict_fields(probed) for probed in verdicts]
        output.answer_json({"ok": ok, "plugins": fields, "problems": problems})
    else:
        output.answer(verdicts_text(verdicts, verbose=session.verbose))
    for problem in problems:
        output.talk(f"error: {clean(problem)}")
    return int(ExitCode.OK if ok else ExitCode.PLUGIN)


def _named(founds: Sequence[Found], names: Sequence[str]) -> list[Found]:
    """Give the plugins of these names, each once.

    Raises:
        PluginNotFoundError: There is none of a name; with its neighbour.
    """
    from gepa_framework.errors import PluginNotFoundError

    wanted: list[Found] = []
    for name in names:
        matching = [found for found in founds if _is_called(found, name)]
        if not matching:
            near = difflib.get_close_matches(name, _spellings(founds), n=1)
            hint = f"did you mean '{near[0]}'?" if near else "gepa plugins list shows what is installed"
            raise PluginNotFoundError(f"no plugin called '{name}'", hint=hint)
        wanted += [found for found in matching if found not in wanted]
    return wanted


def _spellings(founds: Sequence[Found]) -> list[str]:
    return [spelling for found in founds for spelling in (found.name, f"{found.kind}:{found.name}")]


def _is_called(found: Found, name: str) -> bool:
    from packaging.utils import canonicalize_name

    *before, bare = name.split(":")
    if before and before[0].removesuffix("s") == found.kind:
        before = before[1:]
    dist = [canonicalize_name(part) for part in before]
    return canonicalize_name(bare) == found.key and dist in ([], [canonicalize_name(found.dist)])
