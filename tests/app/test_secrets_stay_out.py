from __future__ import annotations

import sqlite3

import pytest

from gepa_framework import GepaRun
from gepa_framework.errors import PluginBrokenError

CANARY = "canary-4711-do-not-tell"
_BABBLING = """
from gepa_framework.testing.fakes import FakeTransport
class Babbling(FakeTransport):
    async def {method}(self, *args):
        raise RuntimeError("401 for the key " + {secret!r})
def make(context):
    return Babbling()
"""
_FAILING = """
from gepa_framework.testing.fakes import FakeTransport
class Failing(FakeTransport):
    async def rollout(self, request):
        if request.row.id.endswith("3"):
            return RolloutFailure(FailureKind.CONTAINER, "refused", "bad key " + {secret!r}, retryable=True)
        return await super().rollout(request)
def make(context):
    return Failing()
"""
_PROPOSER = """
class Babbling:
    async def propose(self, request):
        raise RuntimeError("401 for the key " + {secret!r})
    async def close(self): ...
def make(context):
    return Babbling()
"""


@pytest.fixture
def written(project, monkeypatch):
    """Everything that a run left in its directory."""
    monkeypatch.setenv("SOME_API_KEY", CANARY)

    def written():
        with sqlite3.connect(project.directory() / "workspace.sqlite") as database:
            dumped = "\n".join(database.iterdump())
        database.close()
        files = [path for path in project.directory().iterdir() if path.suffix in {".json", ".jsonl"}]
        return "\n".join([dumped, *(path.read_text() for path in files)])

    return written


def test_what_a_proposer_raises_is_recorded_without_secrets(project, written):
    project.offer("proposer", "babbling", _PROPOSER.format(secret=CANARY))
    config = project.write()
    config.write_text(config.read_text().replace('"fake"\n[cache]', '"babbling"\n[cache]'))
    with pytest.raises(Exception, match="401 for the key") as caught:
        GepaRun.from_toml(config, environ={}).execute()
    assert CANARY not in str(caught.value)
    assert "401 for the key [redacted]" in (text := written())
    assert CANARY not in text


def test_failed_attempts_are_recorded_without_secrets(project, written):
    project.offer("transport", "failing", _FAILING.format(secret=CANARY))
    project.run(transport="failing", container="").execute()
    assert "bad key [redacted]" in (text := written())
    assert CANARY not in text


def test_what_a_transport_raises_at_set_up_is_told_without_secrets(project, written):
    project.offer("transport", "babbling", _BABBLING.format(method="describe", secret=CANARY))
    with pytest.raises(PluginBrokenError, match="the key \\[redacted\\]"):
        project.run(transport="babbling", container="").execute()
    assert CANARY not in written()
