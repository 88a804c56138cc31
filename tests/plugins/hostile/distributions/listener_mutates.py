"""Changes what it is told, as far as that can be changed."""

from __future__ import annotations

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.LISTENER, "listener_mutates", ">=1.0,<2")


class Bad:
    def on_event(self, event):
        for field in attrs.fields(type(event.body)):
            value = getattr(event.body, field.name)
            for key in list(value) if hasattr(value, "keys") else ["x"]:
                try:
                    value[key] = "spoilt"
                except TypeError:
                    continue

    def close(self): ...


@hookimpl
def gepa_make_listener():
    return Bad()
