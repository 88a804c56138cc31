from __future__ import annotations

import json

import attrs
import pytest

from gepa_framework.app import event_lines, files, read_events, replay_events, tail_events
from gepa_framework.app.event_bodies import event_of
from gepa_framework.app.event_sources import feed_of
from gepa_framework.errors import EventFeedError, ExitCode, WorkspaceError
from gepa_framework.types import EVENT_TYPES, event_fields

GOOD = b'{"seq":1,"elapsed_seconds":0.5,"type":"a"}\n'


@pytest.fixture
def feed(tmp_path):
    return tmp_path / files.EVENTS


BAD = {
    "binary": (b"\xff\xfe\0\n", r":2: the line is no JSON: not UTF-8 at byte 0"),
    "zeros": (b"\0" * 9 + b"\n", r":2: the line is no JSON: "),
    "half a value": (b'{"seq":2\n', r":2: the line is no JSON: Expecting"),
    "not a number": (b'{"seq":2,"type":"a","x":NaN}\n', r":2: the line is no JSON: NaN"),
    "deep": (b"[" * 100_000 + b"\n", r":2: the line is no JSON: nested deeper"),
    "empty line": (b"\n", r":2: the line is empty"),
    "a list": (b"[2]\n", r":2: the line is no JSON object"),
    "no number": (b'{"type":"a"}\n', r":2: the line is no event: it has no number 'seq'"),
    "a text for a number": (b'{"seq":"2","type":"a"}\n', r":2: the line is no event"),
    "true for a number": (b'{"seq":true,"type":"a"}\n', r":2: the line is no event"),
    "no type": (b'{"seq":2,"type":""}\n', r":2: the line is no event"),
    "no clock": (b'{"seq":2,"type":"a","elapsed_seconds":"1"}\n', r":2: .*'elapsed_seconds' is no number"),
    "a gap": (b'{"seq":3,"type":"a"}\n', r":2: the line has event 3 where event 2 belongs"),
    "twice": (GOOD, r":2: the line has event 1 where event 2 belongs"),
    "torn": (b'{"seq":2,"type":"a"}', r":2: the file ends within this line; .*gepa resume"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_line_that_is_no_event_is_named_by_file_and_line(feed, name):
    line, message = BAD[name]
    feed.write_bytes(GOOD + line)
    with pytest.raises(EventFeedError, match=rf"events\.jsonl{message}"):
        list(read_events(feed))


def test_a_feed_that_does_not_begin_with_event_1_is_refused(feed):
    feed.write_bytes(GOOD.replace(b"1", b"2", 1))
    with pytest.raises(EventFeedError, match=r":1: the line has event 2 where event 1 belongs"):
        list(read_events(feed))


def test_a_line_without_end_is_given_up(feed, monkeypatch):
    monkeypatch.setattr(event_lines, "MAX_LINE_BYTES", 1 << 20)
    feed.write_bytes(GOOD + b'{"seq":2,"type":"' + b"x" * (1 << 20) + b'"}\n')
    with pytest.raises(EventFeedError, match=r":2: the line has more than 1 MiB"):
        list(read_events(feed))


def test_an_empty_feed_is_refused(feed):
    feed.touch()
    with pytest.raises(EventFeedError, match=r"events\.jsonl:1: there is no event: the file is empty"):
        list(read_events(feed))


def test_what_is_no_feed_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(EventFeedError, match=r"nowhere is neither a file nor a directory; name"):
        feed_of(tmp_path / "nowhere")
    with pytest.raises(EventFeedError, match=r"holds no events\.jsonl; name the directory of a run"):
        feed_of(tmp_path)
    (tmp_path / files.WORKSPACE).touch()
    with pytest.raises(EventFeedError, match=r"holds no events\.jsonl; gepa resume .* writes it again"):
        feed_of(tmp_path)
    assert issubclass(EventFeedError, WorkspaceError)
    assert EventFeedError.exit_code is ExitCode.ENVIRONMENT


def test_a_file_that_may_not_be_read_is_named(feed, monkeypatch):
    feed.write_bytes(GOOD)

    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(WorkspaceError, match=r"events\.jsonl: Permission denied"):
        list(read_events(feed))


def test_events_of_a_feed_are_given_with_their_places(feed):
    feed.write_bytes(GOOD + '{"seq":2,"type":"b","text":"é"}\n'.encode())
    one, two = read_events(feed.parent)
    assert (one.place, one.elapsed_seconds, one.fields) == (f"{feed}:1", 0.5, {})
    assert (two.place, two.elapsed_seconds, two.fields) == (f"{feed}:2", None, {"text": "é"})
    assert two.text == '{"seq":2,"type":"b","text":"é"}'


def test_every_event_of_a_run_is_given_back_as_it_was_told(project):
    heard = []
    listener = type(
        "Listener", (), {"on_event": lambda _, event: heard.append(event), "close": lambda _: None}
    )
    result = project.run().execute(listeners=[listener()])
    given = []
    replay_events(result.run_dir, given.append)
    assert [event_fields(each) for each in given] == [event_fields(each) for each in heard]
    assert [type(each.body) for each in given] == [type(each.body) for each in heard]
    replay_events(result.normalized_event_feed_path, given.append)
    assert [each.body for each in given[len(heard) :]] == [each.body for each in given[: len(heard)]]


VALUES = {"str": "x", "int": 3, "float": 0.5, "JSONScalar": True, "JSONValue": [1]}


def made(kind):
    """Give a value of a type as the annotations of events write it."""
    if kind.startswith("tuple"):
        return [VALUES[kind[6:-6]]]
    if kind == "JSONObject":
        return {"k": [{"deep": None}]}
    if kind.startswith("Mapping"):
        return {"k": VALUES[kind[13:-1].split(" | ")[0]]}
    return VALUES[kind.split(" | ")[0]]


@pytest.fixture(params=list(EVENT_TYPES))
def line(request, feed):
    fields = {field.name: made(field.type) for field in attrs.fields(EVENT_TYPES[request.param])}
    feed.write_text(json.dumps({"seq": 1, "type": request.param, **fields}) + "\n")
    (line,) = read_events(feed)
    return line


def test_every_type_of_event_is_understood(line):
    event = event_of(line)
    told = json.loads(json.dumps(event_fields(event), default=dict))
    assert told == {"seq": 1, "elapsed_seconds": 0.0, "type": line.type, **line.fields}


def test_an_event_of_another_version_is_refused_with_its_place(line):
    with pytest.raises(EventFeedError, match=rf"{line.path}:1: {line.type} has no field 'colour'"):
        event_of(attrs.evolve(line, fields={**line.fields, "colour": 1}))
    with pytest.raises(EventFeedError, match=r":1: other\.type is no type that this version knows"):
        event_of(attrs.evolve(line, type="other.type"))
    required = [each.name for each in attrs.fields(EVENT_TYPES[line.type]) if each.default is attrs.NOTHING]
    fewer = {name: value for name, value in line.fields.items() if name != required[0]}
    with pytest.raises(EventFeedError, match=rf"has a field '{required[0]}', which is missing"):
        event_of(attrs.evolve(line, fields=fewer))


def test_a_field_of_another_type_is_refused_with_its_place(line):
    for name, value in line.fields.items():
        wrong = [[value]] if isinstance(value, list) else {"k": object()} if isinstance(value, dict) else [1]
        with pytest.raises(
            EventFeedError, match=rf"{line.path}:1: '{name}' of {line.type} is not of the type"
        ):
            event_of(attrs.evolve(line, fields={**line.fields, name: wrong}))


def test_a_truth_is_no_number(feed):
    feed.write_bytes(b'{"seq":1,"type":"work.abandoned","rollouts":true,"proposals":1}\n')
    with pytest.raises(EventFeedError, match=r"'rollouts' of work\.abandoned is not of the type int"):
        event_of(tail_events(feed)[0])
