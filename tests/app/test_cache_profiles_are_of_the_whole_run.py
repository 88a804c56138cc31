from __future__ import annotations

import json
import signal

import pytest

from gepa_framework import GepaRun
from gepa_framework.app.legs import CacheLegs
from gepa_framework.errors import InterruptedRunError

CACHE = 'mode = "readwrite"\nnamespace = "shared"\npath = "cache.sqlite"'
NONE = {"mode": "readwrite", "namespace": "shared", "totals": {}, "boundaries": {}}


def leg(**counts):
    return {**NONE, "boundaries": {"container.rollout": counts}}


def test_a_resumed_run_counts_what_all_its_legs_asked(project, at):
    whole = project.run("whole", cache=CACHE.replace("shared", "other")).execute()
    stop = at("iteration.started", 2, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        project.run("r1", cache=CACHE).execute(listeners=[stop], handle_signals=True)
    first = project.read("cache_profile.json")
    assert (first["legs"], first["uncounted_legs"]) == (1, 0)
    GepaRun.resume(project.directory()).execute()
    profile = project.read("cache_profile.json")
    assert (profile["legs"], profile["uncounted_legs"]) == (2, 0)
    uninterrupted = project.read("cache_profile.json", "whole")
    rollouts = profile["boundaries"]["container.rollout"]
    assert rollouts["write"] + rollouts["hit"] == whole.rollouts
    assert profile["boundaries"] == uninterrupted["boundaries"]
    assert profile["totals"] == uninterrupted["totals"]
    GepaRun.resume(project.directory()).execute()
    assert project.read("cache_profile.json") == profile, "a finished run has no further leg"


def test_a_leg_that_is_killed_is_one_that_nobody_counted(tmp_path):
    path = tmp_path / "cache_profile.json"
    legs = CacheLegs.read(path, resumed=False)
    legs.begin(NONE)
    path.write_text(json.dumps(legs.whole(leg(hit=3, miss=2))))
    CacheLegs.read(path, resumed=True).begin(NONE)  # and is killed
    assert json.loads(path.read_text())["uncounted_legs"] == 1
    last = CacheLegs.read(path, resumed=True)
    last.begin(NONE)
    profile = last.whole(leg(hit=1, write=4))
    assert (profile["legs"], profile["uncounted_legs"]) == (3, 1)
    assert profile["totals"] == {"hit": 4, "miss": 2, "write": 4}
    assert profile["boundaries"] == {"container.rollout": {"hit": 4, "miss": 2, "write": 4}}


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"boundaries": {"a": 1}, "legs": 1}'])
def test_a_profile_that_cannot_be_read_is_a_leg_that_nobody_counted(tmp_path, text):
    path = tmp_path / "cache_profile.json"
    if text is not None:
        path.write_text(text)
    legs = CacheLegs.read(path, resumed=True)
    legs.begin(NONE)
    profile = legs.whole(leg(hit=1))
    assert (profile["legs"], profile["uncounted_legs"], profile["totals"]["hit"]) == (2, 1, 1)
