"""Listeners that ask for it hear of each effect that is on record, with its times."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter

import pytest

from gepa_framework.errors import InterruptedRunError, PluginBrokenError
from gepa_framework.runtime import Audience, CacheMode, Hub, OnError
from gepa_framework.testing.samples import sample_effects
from gepa_framework.types import EffectKind, FailureKind, RolloutFailure


@pytest.fixture
def watcher(kit):
    class Watcher(kit.Recorder):
        def on_effect(self, effect):
            self.events.append(effect)

        @property
        def effects(self):
            return [each for each in self.events if hasattr(each, "effect_id")]

    return Watcher()


def watched(watcher, **options):
    return {"audiences": (Audience("watcher", watcher),), **options}


def test_every_effect_on_record_is_told_once_and_in_the_order_of_the_record(stand, watcher):
    run = stand(**watched(watcher)).go()
    assert [each.effect_id for each in watcher.effects] == run.effects
    assert {each.kind for each in watcher.effects} == set(EffectKind)


def test_an_effect_is_told_before_the_events_that_follow_from_it(stand, watcher):
    stand(**watched(watcher)).go()
    seen = Counter()
    for each in watcher.events:
        if hasattr(each, "effect_id"):
            seen[each.iteration, each.candidate_id, each.row_id, each.stage] += 1
        elif each.type == "rollout.completed":
            body = each.body
            assert seen[body.iteration, body.candidate_id, body.row_id, body.stage] == 1


def test_the_times_are_those_of_the_work(stand, kit, watcher):
    async def slow(request):
        await asyncio.sleep(0.02)

    before = time.time_ns()
    stand(**watched(watcher, transport=kit.Transport(slow))).go()
    after = time.time_ns()
    rollouts = [each for each in watcher.effects if each.kind is EffectKind.ROLLOUT]
    assert rollouts
    assert all(each.ended_ns - each.began_ns >= 15_000_000 for each in rollouts)
    assert all(before <= each.began_ns <= each.ended_ns <= after + 50_000_000 for each in watcher.effects)


def test_failures_and_attempts_before_them_are_told(stand, kit, watcher):
    late = RolloutFailure(FailureKind.TIMEOUT, "slow", "too slow", retryable=True)
    tried = Counter()

    def answer(request):
        tried[request.row.id] += 1
        return late if request.row.id == "train:1" or tried[request.row.id] == 1 else None

    stand(**watched(watcher, transport=kit.Transport(answer))).go()
    first = {each.row_id: each for each in reversed(watcher.effects) if each.stage == "seed_full_train"}
    one, two = first["train:1"], first["train:2"]
    assert (one.failed, one.code, one.attempts, one.reward) == ("timeout", "slow", 3, None)
    assert (two.failed, two.attempts, [each.code for each in two.superseded]) == ("", 2, ["slow"])
    assert two.reward in {0.0, 1.0}


def test_what_the_cache_knew_is_told_so(stand, kit, watcher):
    cache = kit.MemoryCache()
    options = {"cache": cache, "mode": CacheMode.READWRITE}
    stand(options=options).go()
    run = stand(**watched(watcher, options=options)).go()
    assert [each.effect_id for each in watcher.effects] == run.effects
    assert all(each.cached and each.attempts == 0 for each in watcher.effects)


def test_a_resumed_run_tells_what_is_new_and_every_effect_once_over_both(stand, kit, watcher):
    run = stand(**watched(watcher))
    proposer, asked = run.proposer.propose, []

    async def propose(request):
        asked.append(request.iteration)
        if asked == [1, 2]:
            run.driver.interrupt()
        return await proposer(request)

    run.proposer.propose = propose
    with pytest.raises(InterruptedRunError):
        run.go()
    assert 0 < len(watcher.effects) == len(run.effects)
    run.go()
    assert [each.effect_id for each in watcher.effects] == run.effects
    assert asked[-1] == 4


def test_who_does_not_ask_changes_nothing(stand, kit, watcher):
    told, untold = stand(**watched(watcher)).go(), stand().go()
    assert told.feed == untold.feed
    assert untold.driver._watch.timed(print) is print


def test_one_that_raises_at_effects_is_dealt_with_as_at_events(kit, caplog):
    class Raises(kit.Recorder):
        def on_effect(self, effect):
            raise ValueError("no")

    for on_error, errors in ((OnError.WARN, 7), (OnError.DISABLE, 1)):
        audience = Audience("touchy", Raises(), on_error)
        with caplog.at_level(logging.WARNING):
            Hub([audience]).tell(sample_effects())
        assert audience.errors == errors
        assert "the listener 'touchy' raised ValueError: no" in caplog.text
    with pytest.raises(PluginBrokenError, match="raised ValueError: no"):
        Hub([Audience("touchy", Raises(), OnError.STOP)]).tell(sample_effects())
