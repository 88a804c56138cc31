"""A plugin as a module that starts a thread when it is imported."""

from __future__ import annotations

import threading

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.PROPOSER, "honest", ">=1.0,<2", summary="Is here to be tested.")

threading.Thread(target=threading.Event().wait, args=(3,), daemon=True).start()


@hookimpl
def gepa_make_proposer():
    return FakeProposer()
