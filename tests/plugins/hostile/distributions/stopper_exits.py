"""Ends the process when it is asked."""

from __future__ import annotations

import sys

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "stopper_exits", ">=1.0,<2")


class Bad:
    def check(self, view):
        sys.exit(5)


@hookimpl
def gepa_make_stopper():
    return Bad()
