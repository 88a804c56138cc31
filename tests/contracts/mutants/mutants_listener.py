from __future__ import annotations

import json
import sys
import threading

import pytest
from mutating import mutants, plugin_of

from gepa_framework.testing.contracts import (
    EffectListenerContract,
    ListenerContract,
    PersistentListenerContract,
)
from gepa_framework.types import Capability, Kind, compact_json, event_fields


class Honest:
    def __init__(self, context):
        self.heard = []

    def on_event(self, event):
        self.heard.append(event)

    def close(self):
        self.heard.clear()


class HonestKeeper(Honest):
    def __init__(self, context):
        super().__init__(context)
        self.path = context.base_dir / "kept"

    def on_event(self, event):
        with self.path.open("a", newline="\n") as file:
            file.write(compact_json(event_fields(event)) + "\n")


class TestHonest(ListenerContract):
    made = Honest

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.LISTENER, self.made)


class TestHonestKeeper(PersistentListenerContract):
    made = HonestKeeper

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.LISTENER, self.made, Capability.PERSISTENT)

    @pytest.fixture
    def kept(self, context):
        return lambda: [json.loads(line) for line in (context.base_dir / "kept").read_text().splitlines()]


class HonestWatcher(Honest):
    def on_effect(self, effect):
        self.heard.append(effect)


class TestHonestWatcher(EffectListenerContract):
    made = HonestWatcher

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.LISTENER, self.made)


class HearsOfNoEffect(Honest):
    pass


class AnswersLater(Honest):
    async def on_effect(self, effect):
        self.heard.append(effect)


class KnowsRolloutsOnly(HonestWatcher):
    def on_effect(self, effect):
        if effect.kind != "rollout":
            raise KeyError(effect.kind)


class WantsAReward(HonestWatcher):
    def on_effect(self, effect):
        if effect.kind == "rollout":
            round(effect.reward)


class WantsTheIterationFirst(HonestWatcher):
    def on_effect(self, effect):
        if effect.iteration and not self.heard:
            raise LookupError(effect.iteration)
        self.heard.append(effect)

    def close(self):
        self.heard.append("closed")


class LeavesAThreadForEffects(HonestWatcher):
    over = threading.Event()

    def on_effect(self, effect):
        threading.Thread(target=self.over.wait, args=(3,), daemon=True).start()


class KnowsACandidateOnly(Honest):
    def on_event(self, event):
        if event.type not in {"gepa.run.started", "candidate.registered"}:
            raise KeyError(event.type)


class TakesOneEventOnly(Honest):
    def on_event(self, event):
        super().on_event(event)
        if len(self.heard) > 1:
            raise ValueError("too many")


class WantsTheBeginning(Honest):
    def on_event(self, event):
        super().on_event(event)
        if len(self.heard) > 1 and self.heard[0].seq != 1:
            raise ValueError("where is the first one?")


class WantsUtf8(Honest):
    def on_event(self, event):
        json.dumps(event_fields(event), ensure_ascii=False, default=dict).encode()


class Scribbles(Honest):
    def on_event(self, event):
        for name, value in vars_of(event.body).items():
            if isinstance(value, dict):
                value["listener"] = name


def vars_of(body):
    return {name: getattr(body, name) for name in body.__slots__ if hasattr(body, name)}


class Prints(Honest):
    def on_event(self, event):
        print(event.type)


class WritesToTheDescriptor(Honest):
    def on_event(self, event):
        sys.stdout.flush()
        with open(1, "w", closefd=False) as out:
            out.write("hello")


class ClosesOnce(Honest):
    def close(self):
        del self.heard


class ClosesWhatItHeard(Honest):
    def close(self):
        if self.heard:
            self.heard.clear()
        elif not hasattr(self, "closed"):
            raise IndexError("nothing was heard")
        self.closed = True


class LeavesAThread(Honest):
    over = threading.Event()

    def on_event(self, event):
        if not self.heard:
            threading.Thread(target=self.over.wait, args=(3,), daemon=True).start()
        super().on_event(event)


class MakesItsFileAnew(Honest):
    def __init__(self, context):
        super().__init__(context)
        self.path = context.base_dir / "made"

    def on_event(self, event):
        if not self.heard:
            self.path.mkdir()
        super().on_event(event)


class ForgetsTheLast(HonestKeeper):
    held = None

    def on_event(self, event):
        if self.held is not None:
            super().on_event(self.held)
        self.held = event


class KeepsHalf(HonestKeeper):
    def on_event(self, event):
        with self.path.open("a") as file:
            file.write(compact_json({"type": event.type}) + "\n")


class Overwrites(HonestKeeper):
    begun = False

    def on_event(self, event):
        if not self.begun:
            self.path.write_text("")
        self.begun = True
        super().on_event(event)


globals().update(
    mutants(
        TestHonest,
        {
            "test_every_event_is_taken": [KnowsACandidateOnly],
            "test_a_whole_run_is_taken": [TakesOneEventOnly],
            "test_a_feed_that_begins_in_its_middle_is_taken": [WantsTheBeginning],
            "test_any_text_is_taken": [WantsUtf8],
            "test_events_are_left_as_they_are": [Scribbles],
            "test_standard_output_is_left_alone": [Prints, WritesToTheDescriptor],
            "test_closing_may_be_repeated": [ClosesOnce],
            "test_closing_one_that_heard_nothing_is_fine": [ClosesWhatItHeard],
            "test_closing_leaves_nothing_running": [LeavesAThread],
            "test_the_next_one_goes_on": [MakesItsFileAnew],
        },
    )
)
globals().update(
    mutants(
        TestHonestKeeper,
        {
            "test_what_was_heard_is_kept": [ForgetsTheLast, KeepsHalf],
            "test_what_another_kept_stays": [Overwrites],
        },
    )
)
globals().update(
    mutants(
        TestHonestWatcher,
        {
            "test_it_hears_of_effects": [HearsOfNoEffect, AnswersLater],
            "test_every_effect_is_taken": [KnowsRolloutsOnly, WantsAReward],
            "test_effects_come_before_what_follows_from_them": [WantsTheIterationFirst],
            "test_closing_after_effects_leaves_nothing_running": [LeavesAThreadForEffects],
        },
    )
)
