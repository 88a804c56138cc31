from __future__ import annotations

import asyncio
import json

import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.errors import InterruptedRunError
from gepa_framework.runtime import Pace, RequestDigests
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import digest
from gepa_framework.workspace import Journal


class Remembering(FakeProposer):
    """Keeps what it was asked."""

    def __init__(self):
        self.requests = []

    async def propose(self, request):
        self.requests.append(request)
        return await super().propose(request)


def kept(run):
    """Give the text of every request on record, in order, each verified by the journal."""
    journal = Journal.open(SqliteStore(run.path / "workspace.sqlite"))
    try:
        lines = [json.loads(line.body) for line in journal.lines() if line.type == "proposer.started"]
        return [journal.blob(body["request_digest"]) for body in lines]
    finally:
        journal.close()


def test_every_request_on_record_is_kept_as_it_was_asked(stand):
    run = stand(proposer=Remembering()).go()
    texts = kept(run)
    assert len(texts) == len(run.proposer.requests) > 1
    for text, request in zip(texts, run.proposer.requests, strict=True):
        told = json.loads(text)
        assert told["iteration"] == request.iteration
        assert told["parent"]["components"] == dict(request.parent.components)
        assert [frame["row_id"] for frame in told["evidence"]] == [frame.row_id for frame in request.evidence]


def test_requests_of_an_interrupted_and_resumed_run_are_kept_too(stand):
    whole = stand().go()

    class Stuck(FakeProposer):
        async def propose(self, request):
            run.driver.interrupt()
            await asyncio.Event().wait()

    run = stand(proposer=Stuck(), pace=Pace(grace_seconds=0.01))
    with pytest.raises(InterruptedRunError):
        run.go()
    assert kept(run) == kept(whole)[:1]
    run.proposer = FakeProposer()
    assert kept(run.go()) == kept(whole)


def test_the_key_of_a_proposal_in_the_cache_is_the_digest_of_all_that_is_asked(kit):
    command = kit.propose(task={"about": '\u00e9, "quoted"'})
    asked = {"config": digest({"model": "m"}), "request": json.loads(command.text)}
    key = RequestDigests("fake", 'a "fake"', {"model": "m"}, {}).key(command)
    assert key == digest({"boundary": 'proposer.a "fake"', "request": asked})
