from __future__ import annotations

import logging

from gepa_framework.app import closing

_STUCK = """
import asyncio
from gepa_framework.testing.fakes import FakeTransport
class Stuck(FakeTransport):
    async def close(self):
        await asyncio.Event().wait()
def make(context):
    return Stuck()
"""
_LAST = """
from pathlib import Path
class Last:
    def __init__(self, base):
        self.base = base
    async def get(self, namespace, key):
        return None
    async def put(self, namespace, key, value): ...
    async def close(self):
        (self.base / "closed").touch()
def make(context):
    return Last(context.base_dir)
"""


def test_a_plugin_that_does_not_close_holds_up_neither_the_run_nor_the_others(project, monkeypatch, caplog):
    monkeypatch.setattr(closing, "CLOSING_SECONDS", 0.05)
    project.offer("transport", "stuck", _STUCK)
    project.offer("cache", "last", _LAST)
    with caplog.at_level(logging.WARNING, logger="gepa_framework"):
        result = project.run(transport="stuck", container="", cache='backend = "last"').execute()
    assert result.status == "finished"
    assert (project.path / "closed").exists()
    assert "the transport 'stuck' of gf_app_stuck 1.0 did not close: TimeoutError" in caplog.text
