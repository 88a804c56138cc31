from __future__ import annotations

import json

import pytest

from gepa_framework.testing.samples import sample_body, sample_events
from gepa_framework.types import EVENT_TYPES, Event, event_fields
from gepa_mlflow.feed import FeedReader, identity
from gepa_mlflow.notes import clean, name_of, shown
from gepa_mlflow.story import Story


def fields(type_, seq=1, **changes):
    return event_fields(Event(seq=seq, elapsed_seconds=1.5, body=sample_body(type_, **changes)))


def tell(*events):
    story = Story()
    return story, [story.hear({**event, "seq": seq}) for seq, event in enumerate(events, 1)]


def test_every_event_that_is_followed_is_one_of_the_frameworks():
    assert set(Story._follows) <= set(EVENT_TYPES)


def test_equal_feeds_give_equal_notes_whether_told_as_events_or_read_as_lines():
    told = [event_fields(event) for event in sample_events()]
    read = [json.loads(json.dumps(event)) for event in told]
    assert tell(*told)[1] == tell(*read)[1]


def test_the_step_is_how_many_rollouts_are_finished():
    _, notes = tell(fields("rollout.completed"), fields("rollout.failed"), fields("candidate.evaluated"))
    assert notes[:2] == [None, None]
    assert notes[2].step == 2
    assert notes[2].metrics["rollouts"] == 2
    assert notes[2].metrics["failed_rollouts"] == 1


@pytest.mark.parametrize("known", [True, False])
def test_a_sum_of_which_a_part_is_unknown_is_told_as_what_is_known_of_it(known):
    last = fields("rollout.completed", cost_usd=0.2 if known else None, total_tokens=5 if known else None)
    _, notes = tell(
        fields("rollout.completed", cost_usd=0.1, total_tokens=3), last, fields("candidate.evaluated")
    )
    found = notes[-1].metrics
    assert (found.get("cost_usd"), found.get("total_tokens")) == ((0.3, 8.0) if known else (None, None))
    assert (found["known_cost_usd"], found["known_tokens"]) == ((0.3, 8.0) if known else (0.1, 3.0))


@pytest.mark.parametrize("type_", ["proposal.overtaken", "work.abandoned"])
def test_what_is_spent_without_a_word_of_its_cost_ends_the_sums_that_are_whole(type_):
    _, notes = tell(
        fields("rollout.completed", cost_usd=0.1, total_tokens=3),
        fields(type_),
        fields("candidate.evaluated"),
    )
    found = notes[-1].metrics
    assert found.keys().isdisjoint({"cost_usd", "total_tokens"})
    assert (found["known_cost_usd"], found["known_tokens"]) == (0.1, 3.0)


def test_an_iteration_of_several_parents_is_one_and_one_of_a_merge_counts():
    begun = [fields("iteration.started", iteration=number) for number in (1, 1, 2, 2)]
    _, notes = tell(
        *begun,
        fields("candidate.evaluated"),
        fields("merge.proposed", iteration=3),
        fields("candidate.evaluated"),
    )
    assert [note.metrics["iterations"] for note in (notes[4], notes[6])] == [2, 3]


@pytest.mark.parametrize(
    ("type_", "status", "word"),
    [
        ("gepa.run.finished", "FINISHED", "finished"),
        ("gepa.run.failed", "FAILED", "failed"),
        ("gepa.run.cancelled", "KILLED", "cancelled"),
    ],
)
def test_every_end_has_its_status_and_a_run_that_is_extended_goes_on(type_, status, word):
    story, notes = tell(fields("gepa.run.started"), fields(type_))
    assert (story.status, notes[-1].status, notes[-1].tags["gepa.status"]) == (status, status, word)
    assert json.loads(notes[-1].texts["result.json"])["status"] == word
    note = story.hear(fields("gepa.run.extended", seq=3))
    assert (story.status, note.tags["gepa.extended.max_total_rollouts"]) == ("RUNNING", "100")


def test_components_get_files_of_their_own_under_names_that_are_safe():
    texts = {"../up": "1", ".._up": "2", "a/b": "caf\udce9\0"}
    _, notes = tell(
        fields("candidate.registered", components=texts), fields("frontier.updated", best_candidate_id="c1")
    )
    files = {path: text for path, text in notes[-1].texts.items() if path.endswith(".txt")}
    assert files == {
        "best_candidate/.._up.txt": "1",
        "best_candidate/.._up-2.txt": "2",
        "best_candidate/a_b.txt": "caf\\udce9\\0",
    }


def test_the_best_candidate_is_told_once_while_it_stays_the_best():
    updated = fields("frontier.updated", best_candidate_id="c1")
    _, notes = tell(fields("candidate.registered"), updated, updated)
    assert [bool(note.texts) for note in notes[1:]] == [True, False]


def test_values_and_names_are_made_such_that_mlflow_takes_them():
    assert shown("x" * 7000) == "x" * 5999 + "…"
    assert shown(["é", 1]) == '["é", 1]'
    assert clean("a\0b\udce9") == "a\\0b\\udce9"
    assert name_of("limits", "a:b$") == "limits.a_b_"


def test_a_feed_is_read_on_from_where_it_was_left_and_not_into_what_is_being_written(tmp_path):
    path = tmp_path / "events.jsonl"
    reader = FeedReader(path)
    assert list(reader.upto(None)) == []
    path.write_text('{"seq":1}\n{"seq":2}\n{"seq":3}\n{"se')
    assert [event["seq"] for event in reader.upto(2)] == [1, 2]
    assert [event["seq"] for event in reader.upto(None)] == [3]
    path.write_text('{"seq":1}\n{"seq":2}\n{"seq":3}\n{"seq":4}\n')
    assert [event["seq"] for event in reader.upto(9)] == [4]


def test_a_run_is_the_same_in_its_directory_and_another_in_a_new_one(tmp_path):
    first = identity(tmp_path / "a")
    assert identity(tmp_path / "a") == first
    assert identity(tmp_path / "b") != first
    assert len(list((tmp_path / "a").iterdir())) == 1
