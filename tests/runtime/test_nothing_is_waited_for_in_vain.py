from __future__ import annotations

import pytest

from gepa_framework.engine.lanes import Lanes
from gepa_framework.errors import InvariantError
from gepa_framework.runtime import Pace


def test_a_run_that_waits_for_what_nobody_carries_out_ends_at_once(kit, stand, monkeypatch):
    """As it would if a command were lost."""
    offer = Lanes.offer

    def lose(lanes, command):
        if "candidate_minibatch" not in command.effect_id:
            offer(lanes, command)

    monkeypatch.setattr(Lanes, "offer", lose)
    run = stand(pace=Pace(tick_seconds=0.001))
    with pytest.raises(
        InvariantError, match=r"waits for 2 rollouts \(rollout/1/candidate_minibatch/.*nothing"
    ):
        run.go()
    monkeypatch.undo()
    assert run.go().feed == stand().go().feed


def test_a_run_whose_commands_never_begin_ends_at_once(kit, stand):
    with pytest.raises(InvariantError, match=r"waits for 1 set-up call \(container/metadata\)"):
        stand(pace=Pace(setup=0)).go()
