from __future__ import annotations

import logging

import pytest

from gepa_framework.errors import PluginBrokenError
from gepa_framework.runtime import Audience, Hub, OnError
from gepa_framework.types import Event
from gepa_framework.types.events import RunCancelled

EVENTS = [Event(seq, 0.0, RunCancelled(f"reason {seq}")) for seq in (1, 2, 3)]


class Raises:
    def __init__(self, *, on=(1, 2, 3), when_closed=False):
        self.on = on
        self.heard = []
        self.when_closed = when_closed

    def on_event(self, event):
        self.heard.append(event.seq)
        if event.seq in self.on:
            raise ValueError(f"cannot bear {event.seq}")

    def close(self):
        if self.when_closed:
            raise OSError("stuck")


def hub(kit, listener, on_error):
    before, after = kit.Recorder(), kit.Recorder()
    audience = Audience("touchy", listener, on_error)
    return Hub([Audience("before", before), audience, Audience("after", after)]), before, after, audience


def test_every_listener_hears_every_event_in_order(kit):
    first, second = kit.Recorder(), kit.Recorder()
    Hub([Audience("a", first), Audience("b", second)]).publish(EVENTS)
    assert first.events == second.events == EVENTS


def test_a_listener_that_raises_is_warned_of_once_and_told_on(kit, caplog):
    listener = Raises()
    everyone, before, after, audience = hub(kit, listener, OnError.WARN)
    with caplog.at_level(logging.WARNING):
        everyone.publish(EVENTS)
    assert before.events == after.events == EVENTS
    assert listener.heard == [1, 2, 3]
    assert audience.errors == 3
    (record,) = caplog.records
    message = record.getMessage()
    assert message == "the listener 'touchy' raised ValueError: cannot bear 1; the run goes on"
    assert record.exc_info


def test_a_listener_may_be_told_no_more_after_it_raised(kit, caplog):
    listener = Raises(on=(2,))
    everyone, before, after, audience = hub(kit, listener, OnError.DISABLE)
    everyone.publish(EVENTS)
    assert listener.heard == [1, 2]
    assert audience.disabled
    assert before.events == after.events == EVENTS
    assert "it is not told of further events" in caplog.text


def test_a_listener_may_stop_the_run(kit):
    everyone, before, _, _ = hub(kit, Raises(on=(2,)), OnError.STOP)
    with pytest.raises(PluginBrokenError, match="'touchy' raised ValueError: cannot bear 2") as caught:
        everyone.publish(EVENTS)
    assert 'on_error = "warn"' in caught.value.hint
    assert [event.seq for event in before.events] == [1, 2]


def test_every_listener_is_closed_whatever_the_others_do(kit, caplog):
    everyone, before, after, _ = hub(kit, Raises(when_closed=True), OnError.WARN)
    everyone.close()
    assert (before.closed, after.closed) == (1, 1)
    assert "the listener 'touchy' raised when closed: stuck" in caplog.text


def test_ctrl_c_ends_the_wait_for_one_listener_and_the_others_are_closed(kit, caplog):
    class Lingers:
        def on_event(self, event): ...

        def close(self):
            raise KeyboardInterrupt

    recorder = kit.Recorder()
    Hub([Audience("slow", Lingers()), Audience("quick", recorder)]).close()
    assert recorder.closed == 1
    assert "the listener 'slow' was stopped while it closed" in caplog.text


def test_nobody_need_listen():
    empty = Hub()
    empty.publish(EVENTS)
    empty.close()
