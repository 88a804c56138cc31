"""Writes a file when it is built."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "build_writes", ">=1.0,<2")


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper(context):
    context.run_dir.mkdir(parents=True)
    (context.run_dir / "notes.txt").write_text("built")
    return Never()
