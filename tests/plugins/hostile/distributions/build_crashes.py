"""Crashes natively when it is built."""

from __future__ import annotations

import ctypes

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "build_crashes", ">=1.0,<2")


@hookimpl
def gepa_make_stopper():
    ctypes.string_at(0)
