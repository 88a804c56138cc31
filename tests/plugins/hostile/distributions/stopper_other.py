"""Answers with something else than a reason."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "stopper_other", ">=1.0,<2")


class Bad:
    def check(self, view):
        return True


@hookimpl
def gepa_make_stopper():
    return Bad()
