"""A plugin as a module."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.PROPOSER, "honest", ">=1.0,<2", summary="Is here to be tested.")


@hookimpl
def gepa_make_proposer():
    return FakeProposer()
