"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gepa_framework.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])

DISPLAYS = ("auto", "rich", "plain", "jsonl", "none")


def _note_json(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    ctx.ensure_object(Session).json |= value
    return value


def _note_verbose(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.ensure_object(Session).verbose |= value


verbose_option = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_note_verbose,
    help="Show tracebacks of errors.",
)

json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    is_eager=True,
    callback=_note_json,
    help="Answer with one JSON object on stdout.",
)

json_lines_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    is_eager=True,
    callback=_note_json,
    help="Print every event as its line of the feed, one JSON object a line, in ASCII.",
)

accept_plugins_option = click.option(
    "--accept-changed-plugins",
    is_flag=True,
    help="Go on even though other plugins are installed than the run was started with.",
)

extend_option = click.option(
    "--extend",
    metavar="KEY=VALUE",
    multiple=True,
    help="Raise a limit, such as gepa.max_total_rollouts=20000, and go on; may be given again.",
)

_config_option = click.option(
    "--config",
    "config",
    metavar="FILE",
    required=True,
    type=click.Path(),
    help="The run's gepa.toml.",
)

_optional_config_option = click.option(
    "--config",
    "config",
    metavar="FILE",
    type=click.Path(),
    help="A gepa.toml in place of the scenario's own.",
)

_set_option = click.option(
    "--set",
    "sets",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override a key, such as gepa.minibatch_size=4; may be given again.",
)

_display_option = click.option(
    "--display",
    type=click.Choice(DISPLAYS),
    default="auto",
    show_default=True,
    help="How progress is shown: auto is rich on a terminal, plain elsewhere.",
)


def config_options(command: F) -> F:
    """Give a command ``--config`` and ``--set``."""
    return _config_option(_set_option(command))


def optional_config_options(command: F) -> F:
    """Give a command ``--config`` and ``--set`` where there is a configuration to begin with."""
    return _optional_config_option(_set_option(command))


def run_options(command: F) -> F:
    """Give a command what decides how a run is shown."""
    return _display_option(json_option(verbose_option(command)))
