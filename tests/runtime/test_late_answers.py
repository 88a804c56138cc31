from __future__ import annotations

import asyncio

from gepa_framework.engine import Tick
from gepa_framework.runtime import Pace
from gepa_framework.runtime.driver import _control
from gepa_framework.types import Stage, StopReason


class Switch:
    """A stopper that, once it is on, stops the search and lets go of what is under way at that moment."""

    def __init__(self, gate):
        self.gate = gate
        self.on = False

    def check(self, _view):
        if not self.on:
            return None
        # The tick is not written yet: what is let go of now comes in while it is.
        self.gate.set()
        return StopReason("switch")


def test_what_comes_in_while_the_search_is_being_stopped_is_left_out(kit, stand):
    switch = Switch(asyncio.Event())

    async def hold(request):
        if request.stage is Stage.PARENT:
            switch.on = run.transport.under_way == 2
            await switch.gate.wait()

    run = stand(transport=kit.Transport(hold), stoppers=(switch,), pace=Pace(tick_seconds=0.01))
    run.go()
    late = [stored.given for stored in run.stored() if "parent" in getattr(stored.given, "effect_id", "")]
    assert run.transport.cancelled == []
    assert (run.types[-1], late) == ("gepa.run.finished", [])
    (told,) = [event.body for event in run.recorder.events if event.type == "work.abandoned"]
    assert told.rollouts == 2, "it was paid for all the same"


def test_what_was_abandoned_is_told_of_before_anything_that_came_in_meanwhile(kit, stand):
    class Loud(Switch):
        def check(self, view):
            if (reason := super().check(view)) is not None:
                run.driver._arrive(_control(Tick()))
            return reason

    switch = Loud(asyncio.Event())

    async def hold(request):
        if request.stage is Stage.PARENT:
            switch.on = run.transport.under_way == 2
            await switch.gate.wait()

    run = stand(transport=kit.Transport(hold), stoppers=(switch,), pace=Pace(tick_seconds=0.01))
    run.go()
    kinds = [type(stored.given).__name__ for stored in run.stored()]
    at = kinds.index("Abandoned")
    assert kinds[at - 1 : at + 2] == ["Tick", "Abandoned", "Tick"]
