"""Cannot be closed unless it was used."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "build_closes", ">=1.0,<2")


class Never:
    def check(self, view):
        return None

    def close(self):
        self.file.close()


@hookimpl
def gepa_make_stopper():
    return Never()
