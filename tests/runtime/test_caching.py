from __future__ import annotations

import asyncio
import json

import attrs
import pytest

from gepa_framework.engine import ProposalFailure
from gepa_framework.errors import (
    CacheCorruptError,
    CacheFullError,
    CacheMissError,
    PluginBrokenError,
    ProposerError,
)
from gepa_framework.runtime import CacheMode, EffectCache, caching
from gepa_framework.types import FailureKind, Proposal, RolloutFailure, RolloutResult

BROKEN = RolloutFailure(FailureKind.CONTAINER, "broke", "it broke")


def perform(performer, command):
    async def main():
        done = await performer.perform(command, again=False)
        await performer.cache.settle()
        return done

    return asyncio.run(main())


def test_off_asks_neither_for_reading_nor_for_writing(kit):
    cache = kit.MemoryCache()
    performer = kit.performer(cache=cache, mode=CacheMode.OFF)
    perform(performer, kit.rollout())
    assert cache.calls == []
    assert performer.cache.profile()["totals"] == {"hit": 0, "miss": 0, "write": 0}


def test_readwrite_asks_the_world_once_for_one_request(kit):
    cache, transport = kit.MemoryCache(), kit.Transport()
    performer = kit.performer(transport, cache=cache, mode=CacheMode.READWRITE)
    first, second = (perform(performer, kit.rollout()) for _ in range(2))
    assert len(transport.requests) == 1
    assert first.outcome == second.outcome
    assert (first.access, second.access) == ("write", "hit")
    assert performer.cache.profile() == {
        "mode": "readwrite",
        "namespace": "space",
        "totals": {"hit": 1, "miss": 1, "write": 1},
        "boundaries": {"container.rollout": {"hit": 1, "miss": 1, "write": 1}},
    }


def test_another_run_is_answered_from_the_same_cache(kit):
    cache, transport = kit.MemoryCache(), kit.Transport()
    perform(kit.performer(cache=cache, mode=CacheMode.READWRITE, run_id="r1"), kit.rollout())
    reader = kit.performer(transport, cache=cache, mode=CacheMode.READONLY, run_id="r2")
    perform(reader, kit.rollout(iteration=9))
    assert transport.requests == []
    assert reader.cache.profile()["totals"] == {"hit": 1, "miss": 0, "write": 0}


def test_readonly_refuses_what_is_not_there_and_says_how_to_get_it(kit):
    cache, transport = kit.MemoryCache(), kit.Transport()
    performer = kit.performer(transport, cache=cache, mode=CacheMode.READONLY)
    with pytest.raises(CacheMissError) as caught:
        perform(performer, kit.rollout())
    message = str(caught.value)
    assert "the cache has no container.rollout " in message
    assert "in namespace 'space' and is read-only" in message
    assert 'mode = "readwrite" and the same namespace' in message
    assert transport.requests == []
    assert cache.calls == ["get"]


def test_namespaces_and_boundaries_are_kept_apart(kit):
    cache = kit.MemoryCache()
    performer = kit.performer(cache=cache, mode=CacheMode.READWRITE)
    perform(performer, kit.rollout())
    perform(performer, kit.propose())
    assert sorted(namespace for namespace, _ in cache.kept) == [
        "space:container.rollout",
        "space:proposer.fake",
    ]


def test_a_failed_rollout_is_never_kept(kit):
    cache = kit.MemoryCache()
    transport = kit.Transport(lambda request: BROKEN if len(transport.requests) == 1 else None)
    performer = kit.performer(transport, cache=cache, mode=CacheMode.READWRITE)
    assert perform(performer, kit.rollout()).outcome == BROKEN
    assert cache.kept == {}
    assert isinstance(perform(performer, kit.rollout()).outcome, RolloutResult)
    assert len(cache.kept) == 1


def test_an_outcome_with_failed_attempts_is_kept_only_once_it_is_on_record(kit):
    """Asked after a crash, the cache would answer for it, and the failed attempts would be in no books."""
    cache = kit.MemoryCache()
    weak = attrs.evolve(BROKEN, retryable=True)
    transport = kit.Transport(lambda request: weak if len(transport.requests) == 1 else None)
    performer = kit.performer(transport, cache=cache, mode=CacheMode.READWRITE)
    done = perform(performer, kit.rollout())
    assert len(done.superseded) == 1
    assert (done.access, cache.kept) == ("write", {})

    async def keep():
        await performer.keep(done)
        await performer.cache.settle()

    asyncio.run(keep())
    assert len(cache.kept) == 1
    assert perform(performer, kit.rollout()).access == "hit"


def test_an_answer_that_is_no_json_is_never_kept(kit):
    cache = kit.MemoryCache()
    transport = kit.Transport(lambda request: RolloutResult(0.5, output=b"x"))
    perform(kit.performer(transport, cache=cache, mode=CacheMode.READWRITE), kit.rollout())
    assert cache.kept == {}


def test_a_failed_proposal_is_never_kept(kit):
    class Proposer:
        async def propose(self, request):
            raise ProposerError("no")

    cache = kit.MemoryCache()
    done = perform(kit.performer(proposer=Proposer(), cache=cache, mode=CacheMode.READWRITE), kit.propose())
    assert isinstance(done.outcome, ProposalFailure)
    assert cache.kept == {}


def entry(kind, payload):
    return json.dumps({"kind": kind, "payload": payload}).encode()


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b"\xff\xfe", b"{", b"[]", b"3", b"null", b'{"kind": "rollout"}'),
        entry("song", "{}"),
        entry("rollout", "{"),
        entry("rollout", "[]"),
        entry("rollout", 3),
        entry("rollout", '{"usage": {}}'),
        entry("rollout", '{"reward": null, "usage": {}}'),
    ],
)
def test_an_entry_that_cannot_be_read_is_an_error_and_not_a_miss(kit, value):
    cache, transport = kit.MemoryCache(), kit.Transport()
    performer = kit.performer(transport, cache=cache, mode=CacheMode.READWRITE)
    perform(performer, kit.rollout())
    (place,) = cache.kept
    cache.kept[place] = value
    with pytest.raises(CacheCorruptError, match=r"container\.rollout .* cannot be read") as caught:
        perform(performer, kit.rollout())
    assert caught.value.hint
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("given", "raised", "words"),
    [
        (CacheFullError("no room", hint="make some"), CacheFullError, "no room; make some"),
        (OSError("moths"), PluginBrokenError, "the cache raised OSError: moths"),
    ],
)
@pytest.mark.parametrize("call", ["get", "put"])
def test_an_error_of_the_cache_is_a_typed_error_of_the_run(kit, call, given, raised, words):
    cache = kit.MemoryCache()

    async def fail(*_):
        raise given

    setattr(cache, call, fail)
    with pytest.raises(raised, match=words):
        perform(kit.performer(cache=cache, mode=CacheMode.READWRITE), kit.rollout())


def test_an_error_of_writing_is_told_with_the_next_outcome_and_does_not_cost_it(kit):
    cache = kit.MemoryCache()

    async def fail(*_):
        raise CacheFullError("no room")

    cache.put = fail
    performer = kit.performer(cache=cache, mode=CacheMode.READWRITE)

    async def main():
        await performer.perform(kit.rollout(), again=False)
        for _ in range(5):
            await asyncio.sleep(0)
        return await performer.perform(kit.rollout("train:2"), again=False)

    done = asyncio.run(main())
    assert isinstance(done.outcome, RolloutResult)
    assert isinstance(done.trouble, CacheFullError)


@pytest.mark.parametrize(
    ("call", "words"),
    [("get", "has not answered for container.rollout within"), ("put", "has not finished one of 1 writes")],
)
def test_a_cache_that_says_nothing_is_not_waited_for_for_ever(kit, monkeypatch, call, words):
    monkeypatch.setattr(caching, "_PATIENCE_SECONDS", 0.01)
    cache = kit.MemoryCache()

    async def say_nothing(*_):
        await asyncio.Event().wait()

    setattr(cache, call, say_nothing)
    with pytest.raises(PluginBrokenError, match=words):
        perform(kit.performer(cache=cache, mode=CacheMode.READWRITE), kit.rollout())


def test_a_time_that_the_cache_itself_ran_out_of_is_told_as_its_own(kit):
    cache = kit.MemoryCache()

    async def fail(*_):
        raise TimeoutError("redis")

    cache.get = fail
    with pytest.raises(PluginBrokenError, match="the cache raised TimeoutError: redis"):
        perform(kit.performer(cache=cache, mode=CacheMode.READWRITE), kit.rollout())


def test_modes_are_exactly_three():
    assert [mode.value for mode in CacheMode] == ["off", "readwrite", "readonly"]


def test_a_cache_that_is_off_needs_no_plugin():
    assert asyncio.run(EffectCache(None, CacheMode.OFF, "x").get("boundary", "key", dict)) is None


def test_a_run_is_replayed_from_the_cache_alone_without_a_miss(kit, stand):
    cache = kit.MemoryCache()
    options = {"cache": cache, "mode": CacheMode.READWRITE}
    first = stand(options=options).go()
    silent = kit.Transport()
    again = stand(
        run_id="r2", transport=silent, proposer=object(), options={"cache": cache, "mode": CacheMode.READONLY}
    )
    again.go()
    assert silent.requests == []
    assert again.feed == first.feed
    assert len(first.feed.splitlines()) > 40


class Substitute:
    """Proposes, and says that another model did so than was asked for."""

    async def propose(self, request):
        return Proposal({"skills": "1"}, model="other", requested_model="wanted")


@pytest.mark.parametrize(("kept", "calls"), [(False, ["get", "get"]), (True, ["get", "put", "get"])])
def test_what_another_model_proposed_is_kept_only_where_it_may_answer(kit, kept, calls):
    cache = kit.MemoryCache()
    performer = kit.performer(
        proposer=Substitute(), cache=cache, mode=CacheMode.READWRITE, keep_substituted=kept
    )
    for _ in range(2):
        outcome = perform(performer, kit.propose()).outcome
        assert (outcome.model, outcome.requested_model) == ("other", "wanted")
    assert cache.calls == calls
