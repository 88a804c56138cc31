"""Never ends its building."""

from __future__ import annotations

import threading

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "build_hangs", ">=1.0,<2")


@hookimpl
def gepa_make_stopper():
    threading.Event().wait()
