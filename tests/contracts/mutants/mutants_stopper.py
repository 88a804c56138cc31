from __future__ import annotations

import itertools
import random
import time
from pathlib import Path

import pytest
from mutating import mutants, plugin_of

from gepa_framework.testing.contracts import ClockStopperContract, StopperContract
from gepa_framework.types import Capability, Kind, RunView, StopReason


class Honest:
    def __init__(self, context):
        pass

    def check(self, view):
        if view.iteration < 3:
            return None
        return StopReason("enough", 3, view.iteration, "Three are enough.")


class HonestClock(Honest):
    def check(self, view):
        if view.elapsed_seconds < 60:
            return None
        return StopReason("late", 60, view.elapsed_seconds, "It is late.")


class TestHonest(StopperContract):
    made = Honest

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.STOPPER, self.made, Capability.DETERMINISTIC)

    @pytest.fixture
    def run_that_stops(self):
        return [RunView(iteration=number, best_score=0.5) for number in range(4)]


class TestHonestClock(ClockStopperContract):
    made = HonestClock

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.STOPPER, self.made, Capability.WATCHES_CLOCK)

    @pytest.fixture
    def run_that_stops(self):
        return [RunView(elapsed_seconds=seconds) for seconds in (1.0, 60.0)]


class StopsAtOnce(Honest):
    def check(self, view):
        return StopReason("eager", message="Now.")


class NeverStops(Honest):
    def check(self, view):
        return None


class StopsTooEarly(Honest):
    def check(self, view):
        return super().check(RunView(iteration=view.iteration + 1))


class SaysTrue(Honest):
    def check(self, view):
        return view.iteration >= 3 or None


class SaysNothingToPeople(Honest):
    def check(self, view):
        return StopReason("enough") if view.iteration >= 3 else None


class HasNoShortName(Honest):
    def check(self, view):
        return StopReason("That is enough!", message="Enough.") if view.iteration >= 3 else None


class StopsOnce(Honest):
    said = False

    def check(self, view):
        if self.said or super().check(view) is None:
            return None
        self.said = True
        return super().check(view)


class RemembersForever(Honest):
    seen: set[int] = set()  # noqa: RUF012 - that is what is wrong

    def check(self, view):
        self.seen.add(view.iteration)
        return StopReason("enough", message="Enough.") if 3 in self.seen else None


class Numbers(Honest):
    counter = itertools.count()

    def check(self, view):
        reason = super().check(view)
        return reason and StopReason("enough", 3, next(self.counter), "Enough.")


class LooksAtTheClock(Honest):
    def check(self, view):
        time.monotonic()
        return super().check(view)


class LooksAtTheClockAndHidesIt(Honest):
    def check(self, view):
        try:
            time.time()
        except BaseException:  # noqa: BLE001
            return super().check(view)
        return super().check(view)


class DrawsLots(Honest):
    def check(self, view):
        random.random()
        return super().check(view)


class ReadsAFile(Honest):
    def check(self, view):
        Path(__file__).read_text()
        return super().check(view)


class NeedsAScore(Honest):
    def check(self, view):
        return super().check(view) if view.best_score + 1 else None


class NeedsACost(Honest):
    def check(self, view):
        return super().check(view) if view.cost_usd < 1e12 else None


class StopsByTimeUnasked(Honest):
    def check(self, view):
        return super().check(view) or (
            StopReason("late", message="Late.") if view.elapsed_seconds > 1e10 else None
        )


class ClockThatStands(HonestClock):
    def check(self, view):
        return super().check(view) if view.iteration or view.best_score else None


class ClockThatFlaps(HonestClock):
    def check(self, view):
        return super().check(view) if view.elapsed_seconds <= 60 or view.elapsed_seconds > 1e10 else None


globals().update(
    mutants(
        TestHonest,
        {
            "test_a_fresh_run_goes_on": [StopsAtOnce],
            "test_it_stops_in_the_end": [NeverStops, StopsTooEarly],
            "test_it_answers_with_a_reason_or_none": [SaysTrue],
            "test_its_reason_can_be_read": [SaysNothingToPeople, HasNoShortName],
            "test_what_ended_the_search_ends_it_again": [StopsOnce],
            "test_one_built_anew_answers_the_same": [RemembersForever, Numbers],
            "test_it_asks_neither_clock_nor_chance": [LooksAtTheClock, LooksAtTheClockAndHidesIt, DrawsLots],
            "test_it_touches_nothing_outside": [ReadsAFile],
            "test_any_view_gets_an_answer": [NeedsAScore, NeedsACost],
            "test_time_alone_stops_it_only_if_it_watches_the_clock": [StopsByTimeUnasked],
        },
    )
)
globals().update(
    mutants(TestHonestClock, {"test_time_alone_brings_it_to_an_end": [ClockThatStands, ClockThatFlaps]})
)
