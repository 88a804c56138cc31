"""What holds for every listener."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

import attrs
import pytest

from gepa_framework.testing.contracts.info import PluginInfoContract, build, forgotten
from gepa_framework.testing.leaks import Traces
from gepa_framework.testing.samples import sample_body, sample_effects, sample_events
from gepa_framework.types import (
    EVENT_TYPES,
    BuildContext,
    Capability,
    Effect,
    EffectListener,
    Event,
    JSONObject,
    Kind,
    Listener,
    compact_json,
    event_fields,
)

OpenListener: TypeAlias = "Callable[[], Listener]"


class ListenerContract(PluginInfoContract):
    """Tests of a listener. Override `plugin`, and `config` where keys are needed."""

    kind = Kind.LISTENER

    @pytest.fixture
    def open_listener(self, plugin: object, config: object, context: BuildContext) -> OpenListener:
        """Give what builds a new listener, over the same place each time."""
        return lambda: build(plugin, config, context)

    def test_every_event_is_taken(self, open_listener: OpenListener) -> None:
        """An event that it does not care for is none that it may raise at."""
        raised: dict[str, str] = {}
        for type_ in EVENT_TYPES:
            try:
                _tell(open_listener(), [Event(seq=1, elapsed_seconds=0.5, body=sample_body(type_))])
            except Exception as error:  # noqa: BLE001 - all of them are told at once
                raised[type_] = repr(error)
        assert raised == {}

    def test_a_whole_run_is_taken(self, open_listener: OpenListener) -> None:
        """Events come one by one, by their number."""
        _tell(open_listener(), sample_events())

    def test_a_feed_that_begins_in_its_middle_is_taken(self, open_listener: OpenListener) -> None:
        """A resumed run tells what is new, not what is on record already."""
        _tell(open_listener(), sample_events()[7:])

    def test_any_text_is_taken(self, open_listener: OpenListener) -> None:
        """Models write what they like: line ends, NUL, halves of characters."""
        for text in ("", "\n\r\u2028", "\0", "caf\udce9", "\U0001f600" * 5000):
            body = sample_body("candidate.registered", components={"system": text}, rationale=text)
            _tell(open_listener(), [Event(seq=1, elapsed_seconds=0.0, body=body)])

    def test_events_are_left_as_they_are(self, open_listener: OpenListener) -> None:
        """Other listeners hear the same objects."""
        events = sample_events()
        before = [compact_json(event_fields(event)) for event in events]
        _tell(open_listener(), events)
        assert [compact_json(event_fields(event)) for event in events] == before

    def test_standard_output_is_left_alone(
        self, open_listener: OpenListener, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """It belongs to the command that runs: ``gepa run --json`` is read by programs."""
        _tell(open_listener(), sample_events())
        assert capfd.readouterr().out == ""

    def test_closing_may_be_repeated(self, open_listener: OpenListener) -> None:
        """Closing what is closed does nothing."""
        listener = open_listener()
        listener.on_event(sample_events()[0])
        listener.close()
        listener.close()

    def test_closing_one_that_heard_nothing_is_fine(self, open_listener: OpenListener) -> None:
        """A run may fail before its first event."""
        open_listener().close()

    def test_closing_leaves_nothing_running(self, open_listener: OpenListener) -> None:
        """No thread, connection or process outlives it."""
        before = Traces.now()
        _tell(open_listener(), sample_events())
        assert before.left_since() == {}

    def test_the_next_one_goes_on(self, open_listener: OpenListener) -> None:
        """A run that is resumed builds it again over what the first one left."""
        events = sample_events()
        _tell(open_listener(), events[:3])
        _tell(open_listener(), events[3:])


class PersistentListenerContract(ListenerContract):
    """Tests of a listener that keeps what it hears: it declares `Capability.PERSISTENT`. Override `kept`."""

    capability: ClassVar[Capability | None] = Capability.PERSISTENT

    @pytest.fixture
    def kept(self) -> Callable[[], Sequence[JSONObject]]:
        """Give what reads back all events kept so far, in their order, as `event_fields` gives them."""
        forgotten(self, "kept", "it returns a function that reads back what the listener kept")

    def test_what_was_heard_is_kept(
        self, open_listener: OpenListener, kept: Callable[[], Sequence[JSONObject]]
    ) -> None:
        """Once it is closed, all that it heard is there, each event once and whole."""
        _tell(open_listener(), sample_events())
        assert _as_json(kept()) == _as_json(map(event_fields, sample_events()))

    def test_what_another_kept_stays(
        self, open_listener: OpenListener, kept: Callable[[], Sequence[JSONObject]]
    ) -> None:
        """The next one adds to it."""
        _tell(open_listener(), sample_events()[:3])
        _tell(open_listener(), sample_events()[3:])
        assert _as_json(kept()) == _as_json(map(event_fields, sample_events()))


class EffectListenerContract(ListenerContract):
    """Tests of a listener that hears of effects too: it has the method of `EffectListener`."""

    def test_it_hears_of_effects(self, open_listener: OpenListener) -> None:
        """It is told by `on_effect`, and nobody waits for an answer."""
        listener = open_listener()
        try:
            assert isinstance(listener, EffectListener), "it has no method on_effect"
            assert [listener.on_effect(effect) for effect in sample_effects()] == [None] * 7  # type: ignore[func-returns-value]
        finally:
            listener.close()

    def test_every_effect_is_taken(self, open_listener: OpenListener) -> None:
        """One that it does not care for, or of which little is known, is none that it may raise at."""
        raised: dict[str, str] = {}
        for effect in sample_effects():
            try:
                _tell(open_listener(), [effect])
            except Exception as error:  # noqa: BLE001 - all of them are told at once
                raised[effect.effect_id] = repr(error)
        assert raised == {}

    def test_effects_come_before_what_follows_from_them(self, open_listener: OpenListener) -> None:
        """The first one of a run that goes on may be of an iteration that the listener knows nothing of."""
        effects, events = sample_effects(), sample_events()
        _tell(open_listener(), [*effects[3:], *events[7:], *effects])

    def test_closing_after_effects_leaves_nothing_running(self, open_listener: OpenListener) -> None:
        """No thread, connection or process outlives it."""
        before = Traces.now()
        _tell(open_listener(), sample_effects())
        assert before.left_since() == {}


def _tell(listener: Listener, told: Sequence[Event | Effect]) -> None:
    try:
        for each in told:
            if isinstance(each, Event):
                listener.on_event(attrs.evolve(each))
            elif isinstance(listener, EffectListener):
                listener.on_effect(each)
    finally:
        listener.close()


def _as_json(events: Any) -> list[Any]:
    return [json.loads(compact_json(event)) for event in events]
