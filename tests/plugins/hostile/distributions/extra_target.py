"""Brings a command that leads nowhere."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import CommandSpec, Kind, PluginInfo

plugin_info = PluginInfo(Kind.EXTRA, "extra_target", ">=1.0,<2")


@hookimpl
def gepa_cli_commands():
    return [CommandSpec("go", "Go.", "gf_extra_target.nowhere:main")]
