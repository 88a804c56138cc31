"""Writes more than anybody wants to read, and is sound otherwise."""

from __future__ import annotations

import sys

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

print("x" * 2_000_000)
sys.stderr.write("y" * 2_000_000)

plugin_info = PluginInfo(Kind.STOPPER, "noisy", ">=1.0,<2")


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
