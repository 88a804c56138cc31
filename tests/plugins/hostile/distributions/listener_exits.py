"""Ends the process at each event, and again when it is closed."""

from __future__ import annotations

import sys

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.LISTENER, "listener_exits", ">=1.0,<2")


class Bad:
    def on_event(self, event):
        sys.exit(f"enough of {event.type}")

    def close(self):
        sys.exit("and good riddance")


@hookimpl
def gepa_make_listener():
    return Bad()
