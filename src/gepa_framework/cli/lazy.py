"""A command group that imports a command when it is asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping

import click


class LazyGroup(click.Group):
    """A group whose commands are named by ``module:attribute`` and imported on demand."""

    def __init__(self, *args: object, lazy: Mapping[str, str] | None = None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order in which they were given."""
        return [*self._lazy, *super().list_commands(ctx)]

    def names(self, ctx: click.Context) -> list[str]:
        """Give everything that may be typed, for whoever mistyped it."""
        return self.list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give the command, importing it when it is a lazy one."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._lazy[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self._lazy[cmd_name]} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with; an unknown one is answered with its neighbour."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            names = self.names(ctx)
            near = difflib.get_close_matches(name, names, n=1)
            cure = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(names)}."
            ctx.fail(f"No such command '{name}'. {cure}")
        return super().resolve_command(ctx, args)


def help_if_alone(ctx: click.Context) -> None:
    """Show a group's help where no command of it was named."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
