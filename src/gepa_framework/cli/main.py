"""The ``gepa`` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from gepa_framework.cli.lazy import LazyGroup, help_if_alone
from gepa_framework.cli.options import verbose_option
from gepa_framework.cli.session import Session
from gepa_framework.types.version import VERSION

_COMMANDS = "gepa_framework.cli.commands"


class _Root(LazyGroup):
    """The outermost group, where every failure becomes words and an exit code."""

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
        "check": f"{_COMMANDS}.check:check",
        "plugins": f"{_COMMANDS}.plugins:plugins",
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
    gepa.main(prog_name="gepa")
