from __future__ import annotations

import pytest

from gepa_framework.engine import Completed, Machine, Status
from gepa_framework.errors import PluginBrokenError


class Breaking:
    def __init__(self, broken):
        self.broken = broken

    def check(self, view):
        if self.broken and view.iteration == 1:
            raise PluginBrokenError("the stopper is broken", hint="mend it")


def test_a_broken_stopper_is_not_the_failure_of_the_run(toy):
    with pytest.raises(PluginBrokenError):
        toy.play(stoppers=[Breaking(broken=True)])


def test_a_mended_stopper_lets_the_same_inputs_go_on(toy):
    game = toy.Play(toy.plan(), stoppers=[Breaking(broken=True)]).start()
    told = []

    def pick(waiting):
        told.append(waiting[0])
        return waiting[0]

    with pytest.raises(PluginBrokenError):
        game.finish(pick)
    assert game.machine.status is Status.RUNNING
    mended = Machine(toy.plan(), [Breaking(broken=False)])
    events = list(mended.start().events)
    for effect in told:
        events += mended.feed(Completed(effect, game.answers[effect]), 0.0).events
    assert events[: len(game.events)] == game.events
    assert events[-1].type == "iteration.started"
