"""Raises at each event."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.LISTENER, "listener_raises", ">=1.0,<2")


class Bad:
    def on_event(self, event):
        raise ValueError(f"no {event.type}, please")

    def close(self): ...


@hookimpl
def gepa_make_listener():
    return Bad()
