"""What holds for every stopper."""

from __future__ import annotations

import builtins
import io
import os
import random
import re
import socket
import time
from collections.abc import Sequence
from typing import ClassVar, NoReturn

import attrs
import pytest
from hypothesis import given, settings

from gepa_framework.testing.contracts.info import PluginInfoContract, build, forgotten
from gepa_framework.testing.strategies import run_views
from gepa_framework.types import BuildContext, Capability, Kind, PluginInfo, RunView, Stopper, StopReason

_CLOCK_AND_CHANCE = (
    *(
        (time, name)
        for name in ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "process_time")
    ),
    *((random, name) for name in ("random", "randint", "choice", "uniform")),
    *((os, name) for name in ("urandom",)),
)
_OUTSIDE = ((builtins, "open"), (io, "open"), (os, "open"), (os, "stat"), (socket, "socket"))


class StopperContract(PluginInfoContract):
    """Tests of a stopper. Override `plugin`, `config` where keys are needed, and `run_that_stops`."""

    kind = Kind.STOPPER
    covers = frozenset({Capability.DETERMINISTIC})

    @pytest.fixture
    def run_that_stops(self) -> Sequence[RunView]:
        """Give what a run shows the stopper, view by view; it stops at the last one and not before."""
        forgotten(self, "run_that_stops", "it returns views of a run, of which the last one ends the search")

    @pytest.fixture
    def stopper(self, plugin: object, config: object, context: BuildContext) -> Stopper:
        """Give a new stopper."""
        return _built(plugin, config, context)

    def test_a_fresh_run_goes_on(self, stopper: Stopper) -> None:
        """Nothing has happened yet, so nothing can have been reached."""
        assert stopper.check(RunView()) is None

    def test_it_stops_in_the_end(self, stopper: Stopper, run_that_stops: Sequence[RunView]) -> None:
        """It says so at the last view, and at none before."""
        answers = [stopper.check(view) for view in run_that_stops]
        assert [view for view, answer in zip(run_that_stops, answers, strict=True) if answer] == [
            run_that_stops[-1]
        ]

    def test_it_answers_with_a_reason_or_none(
        self, stopper: Stopper, run_that_stops: Sequence[RunView]
    ) -> None:
        """A bare ``True`` or text gives nobody a reason."""
        assert {type(stopper.check(view)) for view in run_that_stops} <= {StopReason, type(None)}

    def test_its_reason_can_be_read(self, stopper: Stopper, run_that_stops: Sequence[RunView]) -> None:
        """The kind is one short name, the message one sentence, limit and value are plain."""
        reason = _last_answer(stopper, run_that_stops)
        assert re.fullmatch(r"[a-z][a-z0-9_.-]*", reason.kind), f"no short name: {reason.kind!r}"
        assert reason.message.strip(), "there is no message"
        assert "\n" not in reason.message
        for value in (reason.limit, reason.value):
            assert value is None or isinstance(value, str | int | float)

    def test_what_ended_the_search_ends_it_again(
        self, stopper: Stopper, run_that_stops: Sequence[RunView]
    ) -> None:
        """Whoever asks again about the same state gets the same decision."""
        first = _last_answer(stopper, run_that_stops)
        assert stopper.check(run_that_stops[-1]) == first

    def test_one_built_anew_answers_the_same(
        self, plugin: object, config: object, context: BuildContext, run_that_stops: Sequence[RunView]
    ) -> None:
        """A run that is resumed shows a new stopper all views again, in their order."""
        first, second = (_built(plugin, config, context) for _ in range(2))
        asked = [first.check(view) for view in run_that_stops]
        assert [second.check(view) for view in run_that_stops] == asked
        assert not any(asked[:-1]), "it remembers what another one was shown"

    def test_it_asks_neither_clock_nor_chance(
        self, stopper: Stopper, run_that_stops: Sequence[RunView], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A replay has no clock: elapsed time is in the view."""
        _check_without(stopper, run_that_stops, _CLOCK_AND_CHANCE, monkeypatch)

    def test_it_touches_nothing_outside(
        self, stopper: Stopper, run_that_stops: Sequence[RunView], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No file and no network: a replay has neither."""
        _check_without(stopper, run_that_stops, _OUTSIDE, monkeypatch)

    def test_any_view_gets_an_answer(self, plugin: object, config: object, context: BuildContext) -> None:
        """Scores, costs and tokens may be unknown; a stopper that raises ends the run as failed."""

        @settings(max_examples=50, deadline=None)
        @given(view=run_views())
        def any_view(view: RunView) -> None:
            assert isinstance(_built(plugin, config, context).check(view), StopReason | None)

        any_view()

    def test_time_alone_stops_it_only_if_it_watches_the_clock(
        self, stopper: Stopper, info: PluginInfo
    ) -> None:
        """One that does not declare `WATCHES_CLOCK` is not asked as time passes."""
        stops = stopper.check(RunView(elapsed_seconds=1e12)) is not None
        assert stops == (Capability.WATCHES_CLOCK in info.capabilities)


class ClockStopperContract(StopperContract):
    """Tests of a stopper that is asked as time passes: it declares `Capability.WATCHES_CLOCK`."""

    capability: ClassVar[Capability | None] = Capability.WATCHES_CLOCK

    def test_time_alone_brings_it_to_an_end(
        self, stopper: Stopper, run_that_stops: Sequence[RunView]
    ) -> None:
        """Nothing but `elapsed_seconds` moves while an iteration is under way; once over it stays over."""
        over = run_that_stops[-1].elapsed_seconds
        first = RunView()
        assert stopper.check(attrs.evolve(first, elapsed_seconds=over)) is not None
        assert stopper.check(attrs.evolve(first, elapsed_seconds=over * 2)) is not None


def _built(plugin: object, config: object, context: BuildContext) -> Stopper:
    stopper: Stopper = build(plugin, config, context)
    return stopper


def _last_answer(stopper: Stopper, views: Sequence[RunView]) -> StopReason:
    answers = [stopper.check(view) for view in views]
    assert isinstance(answers[-1], StopReason), f"the last view is answered by {answers[-1]!r}"
    return answers[-1]


def _check_without(
    stopper: Stopper,
    views: Sequence[RunView],
    forbidden: Sequence[tuple[object, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[str] = []

    def refuse(name: str) -> NoReturn:
        used.append(name)
        raise AssertionError(f"a stopper may not use {name}")

    with monkeypatch.context() as patch:
        for module, name in forbidden:
            patch.setattr(module, name, lambda *_, name=name, **__: refuse(name))
        for view in views:
            stopper.check(view)
    assert not used, f"a stopper may not use {', '.join(used)}"
