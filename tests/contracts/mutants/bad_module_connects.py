"""A plugin as a module that looks for its server when it is imported."""

from __future__ import annotations

import contextlib
import socket

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.PROPOSER, "honest", ">=1.0,<2", summary="Is here to be tested.")

with socket.socket() as probe, contextlib.suppress(OSError):
    probe.connect(("127.0.0.1", 9))


@hookimpl
def gepa_make_proposer():
    return FakeProposer()
