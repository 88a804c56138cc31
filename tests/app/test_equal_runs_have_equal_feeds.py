from __future__ import annotations

import json

import pytest

from gepa_framework import GepaRun
from gepa_framework.errors import CacheFullError

_SLOW = 'log = "asked.log"\ndelay_seconds = 0.01'
_LAME = "rollout_failure_rate_tolerance = 1.0"


def workers(count):
    return f"[gepa.pipeline.workers]\nrollout = {count}"


@pytest.mark.parametrize("failing", [0.0, 0.15])
def test_concurrency_run_id_and_delays_change_no_byte_of_the_normalised_feed(project, failing):
    container = f"{_SLOW}\nfailing_share = {failing}"
    project.run("one", container=container, gepa=_LAME, more=workers(1)).execute()
    project.run("many", container=container, gepa=_LAME, more=workers(16)).execute()
    project.run("quick", container=f"failing_share = {failing}", gepa=_LAME).execute()
    assert project.normalised("one") == project.normalised("many") == project.normalised("quick")
    assert len(project.types("one")) > 60
    assert ("rollout.failed" in project.types("one")) == bool(failing)


def test_the_digest_of_the_configuration_knows_no_circumstances(project):
    def digest(run_id, **options):
        return project.run(run_id, **options).plan.config_digest

    plain = digest("a")
    assert digest("b") == plain
    assert digest("a", cache='mode = "readwrite"\nnamespace = "x"') == plain
    assert digest("a", container='log = "other.log"\ndelay_seconds = 1.0') == plain
    assert digest("a", more=workers(3)) == plain
    assert digest("a", more='[[listeners]]\nuse = "jsonl"') == plain
    moved = project.write("c")
    moved.write_text(moved.read_text().replace("[run]", '[run]\noutput_dir = "elsewhere"'))
    assert GepaRun.from_toml(moved, environ={}).plan.config_digest == plain


@pytest.mark.parametrize(
    "options",
    [
        {"gepa": "max_consecutive_proposer_failures = 2"},
        {"gepa": 'component_selector = "round_robin"'},
        {"more": '[policy]\nmodel = "m"'},
        {"more": '[[stoppers]]\nuse = "max_iterations"\niterations = 2'},
        {"more": '[seed_candidate]\nskills = "1 1 1 1 1 1 1 1 1 1 1 1"'},
        {"more": '[selection]\nstrategy = "current_best"'},
    ],
)
def test_the_digest_of_the_configuration_knows_every_decision(project, options):
    assert project.run("a", **options).plan.config_digest != project.run("b").plan.config_digest


def test_the_timed_feed_is_the_normalised_one_with_a_clock(project):
    project.run().execute()
    timed = [json.loads(line) for line in (project.directory() / "events.jsonl").read_text().splitlines()]
    clock = [event.pop("elapsed_seconds") for event in timed]
    assert timed == [json.loads(line) for line in project.normalised().splitlines()]
    assert clock == sorted(clock)


def test_no_place_time_or_name_of_the_run_is_in_the_normalised_feed(project):
    project.run("very-special-name").execute()
    text = project.normalised("very-special-name")
    assert "very-special-name" not in text
    assert str(project.path) not in text
    assert "elapsed" not in text


def test_a_run_is_replayed_from_the_cache_alone(project):
    cache = 'mode = "{}"\nnamespace = "shared"\npath = "cache.sqlite"'
    first = project.run("first", cache=cache.format("readwrite")).execute()
    asked = len(project.asked())
    again = project.run("again", cache=cache.format("readonly")).execute()
    assert len(project.asked()) == asked < first.rollouts
    assert project.normalised("again") == project.normalised("first")
    profile = project.read("cache_profile.json", "again")
    assert profile["totals"]["miss"] == profile["totals"]["write"] == 0
    assert profile["boundaries"]["container.rollout"]["hit"] == again.rollouts
    assert profile["namespace"] == "shared"


def test_a_miss_of_a_readonly_cache_fails_the_run_with_the_cure(project):
    from gepa_framework.errors import CacheMissError

    cache = 'mode = "readonly"\nnamespace = "nothing"\npath = "cache.sqlite"'
    project.run("warm", cache=cache.replace("readonly", "readwrite").replace("nothing", "other")).execute()
    with pytest.raises(CacheMissError, match='mode = "readwrite"'):
        project.run("cold", cache=cache).execute()
    assert project.read("result_manifest.json", "cold")["failure"]["error_code"] == "gepa_cache_miss"
    assert project.registry()[-1] == ("cold", "failed")


def test_a_cache_that_has_no_room_any_more_costs_nothing_that_was_paid_for(project):
    project.offer(
        "cache",
        "small",
        """
from gepa_framework.errors import CacheFullError
class Small:
    left = 20
    async def get(self, namespace, key):
        return None
    async def put(self, namespace, key, value):
        Small.left -= 1
        if Small.left < 0:
            raise CacheFullError("no room")
    async def close(self):
        pass
def make(context):
    return Small()
""",
    )
    log = 'log = "asked.log"\ndelay_seconds = 0.002'
    with pytest.raises(CacheFullError, match="no room"):
        project.run(container=log, cache='mode = "readwrite"\nbackend = "small"').execute()
    done = [name for name in project.types() if name in ("rollout.completed", "rollout.failed")]
    assert len(done) == len(project.asked())
    assert project.read("result_manifest.json")["failure"]["error_code"] == "gepa_cache_full"


def test_a_write_that_the_cache_loses_at_the_very_end_overturns_no_finished_run(project, caplog):
    project.offer(
        "cache",
        "late",
        """
import asyncio
from gepa_framework.errors import CacheFullError
class Late:
    def __init__(self, feed):
        self.feed = feed
    async def get(self, namespace, key):
        return None
    async def put(self, namespace, key, value):
        while "gepa.run.finished" not in self.feed.read_text():
            await asyncio.sleep(0.01)
        raise CacheFullError("no room")
    async def close(self):
        pass
def make(context):
    return Late(context.run_dir / "events.jsonl")
""",
    )
    result = project.run(cache='mode = "readwrite"\nbackend = "late"').execute()
    assert result.status == "finished"
    assert "not all of it is in the cache: no room" in caplog.text
