"""The ``gepa`` command."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import Any

import click

from gepa_framework.cli.lazy import LazyGroup, help_if_alone
from gepa_framework.cli.options import verbose_option
from gepa_framework.cli.session import Session
from gepa_framework.types.version import VERSION

_COMMANDS = "gepa_framework.cli.commands"


class _Root(LazyGroup):
    """The outermost group: extras are commands of it, and every failure becomes words and an exit code."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give the command of that name, ours before one that a plugin brings."""
        command = super().get_command(ctx, cmd_name)
        if command is not None or cmd_name.startswith("-"):
            return command
        from gepa_framework.cli import extras

        return extras.ExtraCommand(cmd_name) if extras.offered(cmd_name, self.list_commands(ctx)) else None

    def names(self, ctx: click.Context) -> list[str]:
        """Give everything that may be typed, for whoever mistyped it."""
        from gepa_framework.cli import extras

        ours = self.list_commands(ctx)
        return [*ours, *dict.fromkeys(name for name, _ in extras.shown(ours))]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write our commands, and below them those of plugins, of which nothing is imported."""
        super().format_commands(ctx, formatter)
        from gepa_framework.cli import extras

        rows = [(name, f"(plugin: {dist})") for name, dist in extras.shown(self.list_commands(ctx))]
        if rows:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(rows)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and exit; with ``standalone_mode=False`` as click does it."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        session = extra.setdefault("obj", Session())
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except Exception as error:  # noqa: BLE001 - this is the place where nothing may get past
            from gepa_framework.cli.failures import report

            code = report(error, session, sys.argv[1:] if args is None else args)
        sys.exit(code or 0)


@click.group(
    cls=_Root,
    invoke_without_command=True,
    lazy={
        "run": f"{_COMMANDS}.run:run",
        "resume": f"{_COMMANDS}.resume:resume",
        "verify": f"{_COMMANDS}.verify:verify",
        "events": f"{_COMMANDS}.events:events",
        "runs": f"{_COMMANDS}.runs:runs",
        "show": f"{_COMMANDS}.show:show",
        "diff": f"{_COMMANDS}.diff:diff",
        "why": f"{_COMMANDS}.why:why",
        "report": f"{_COMMANDS}.report:report",
        "status": f"{_COMMANDS}.status:status",
        "workspace": f"{_COMMANDS}.workspace:workspace",
        "check": f"{_COMMANDS}.check:check",
        "explain-config": f"{_COMMANDS}.explain_config:explain_config",
        "plugins": f"{_COMMANDS}.plugins:plugins",
        "plugin": f"{_COMMANDS}.plugin:plugin",
        "cache": f"{_COMMANDS}.cache:cache",
        "schema": f"{_COMMANDS}.schema:schema",
        "scenario": f"{_COMMANDS}.scenario:scenario",
        "init": f"{_COMMANDS}.init:init",
    },
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Begin with `gepa init`, look with `gepa check`, spend with `gepa run`.",
)
@click.version_option(VERSION, prog_name="gepa-framework", message="%(prog)s %(version)s")
@verbose_option
@click.pass_context
def gepa(ctx: click.Context) -> None:
    """Evolve prompts and programs with GEPA."""
    help_if_alone(ctx)


def main() -> None:
    """Run the ``gepa`` command and exit with its code."""
    try:
        gepa.main(prog_name="gepa")
    except SystemExit as end:
        if threading.active_count() > 1:
            from gepa_framework.cli.leaving import leave_in_time

            leave_in_time(end.code if isinstance(end.code, int) else 1)
        raise
