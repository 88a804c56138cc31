from __future__ import annotations

import json

import pytest

from gepa_framework.builtin.jsonl import JsonlConfig, gepa_make_listener
from gepa_framework.errors import WorkspaceError
from gepa_framework.types import Event, event_fields
from gepa_framework.types.events import CandidateRegistered, IterationSkipped

SKIPPED = IterationSkipped(iteration=3, parent_id="c1", reason="no évidence\nleft")


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_event_is_one_line_and_there_at_once(context):
    listener = gepa_make_listener(JsonlConfig(), context)
    assert not context.run_dir.exists()
    events = [Event(seq=seq, elapsed_seconds=0.5, body=SKIPPED) for seq in (1, 2)]
    path = context.run_dir / "listener.events.jsonl"
    for count, event in enumerate(events, start=1):
        listener.on_event(event)
        assert lines(path) == [event_fields(each) for each in events[:count]]
    listener.close()


def test_tables_and_lone_surrogates_are_written_as_json(context):
    texts = {"p": "caf\udce9 \ud83d"}
    body = CandidateRegistered("c1", ("c0",), 1, "proposal", texts, ("p",), "because")
    listener = gepa_make_listener(JsonlConfig(path="e.jsonl"), context)
    listener.on_event(Event(seq=1, elapsed_seconds=0.0, body=body))
    listener.close()
    (line,) = lines(context.base_dir / "e.jsonl")
    assert line["components"] == texts
    assert line["parent_ids"] == ["c0"]


def test_a_second_process_appends(context):
    for seq in (1, 2):
        listener = gepa_make_listener(JsonlConfig(path="sub/e.jsonl"), context)
        listener.on_event(Event(seq=seq, elapsed_seconds=0.0, body=SKIPPED))
        listener.close()
        listener.close()
    assert [line["seq"] for line in lines(context.base_dir / "sub" / "e.jsonl")] == [1, 2]


def test_a_torn_last_line_harms_itself_only(context):
    path = context.base_dir / "e.jsonl"
    path.parent.mkdir()
    path.write_text('{"seq": 1}\n{"seq": 2, "ty')
    listener = gepa_make_listener(JsonlConfig(path="e.jsonl"), context)
    listener.on_event(Event(seq=3, elapsed_seconds=0.0, body=SKIPPED))
    listener.close()
    first, torn, last = path.read_text().splitlines()
    assert (json.loads(first)["seq"], torn, json.loads(last)["seq"]) == (1, '{"seq": 2, "ty', 3)


def test_an_unused_one_makes_no_file(context):
    gepa_make_listener(JsonlConfig(), context).close()
    assert not context.run_dir.exists()


def test_an_event_after_the_end_is_refused(context):
    listener = gepa_make_listener(JsonlConfig(), context)
    listener.close()
    with pytest.raises(WorkspaceError, match="is closed"):
        listener.on_event(Event(seq=1, elapsed_seconds=0.0, body=SKIPPED))


def test_a_file_that_cannot_be_written_is_named(context, tmp_path):
    listener = gepa_make_listener(JsonlConfig(path=str(tmp_path)), context)
    with pytest.raises(WorkspaceError, match="cannot be written"):
        listener.on_event(Event(seq=1, elapsed_seconds=0.0, body=SKIPPED))
    listener.close()
