"""Raises when something is to be kept."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STORE, "store_raises", ">=1.0,<2")


class Bad:
    def append(self, rows):
        raise ValueError("no more ink")

    def location(self):
        return "a notebook"

    def exists(self):
        return False

    def create(self, meta): ...

    def open(self, *, readonly=False): ...

    def meta(self):
        return {}

    def rows(self, table):
        return iter(())

    def last(self, table):
        return None

    def blob(self, sha256):
        return None

    def close(self): ...


@hookimpl
def gepa_make_store():
    return Bad()
