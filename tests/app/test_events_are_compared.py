from __future__ import annotations

import json

import pytest

from gepa_framework.app import compare_events, files
from gepa_framework.errors import EventCompareError, EventFeedError, ExitCode

EVENTS = (
    {"type": "gepa.run.started", "seed": 3, "config_digest": "d", "limits": {"train_rollouts": 9}},
    {"type": "candidate.registered", "components": {"a.b": "x" * 300 + "end"}, "parent_ids": ["p", "q"]},
    {"type": "rollout.completed", "reward": 0.5, "cost_usd": None, "ok": True},
)


def write(path, events=EVENTS, *, clock=0.5):
    timed = {} if clock is None else {"elapsed_seconds": clock}
    lines = [json.dumps({"seq": seq, **timed, **event}) for seq, event in enumerate(events, start=1)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture
def left(tmp_path):
    return write(tmp_path / "left.jsonl")


@pytest.fixture
def right(tmp_path):
    """Give a function that writes the right side with one event replaced, and without a clock."""

    def give(number=0, **changed):
        events = list(EVENTS)
        if number:
            events[number - 1] = {**events[number - 1], **changed}
        return write(tmp_path / "right.jsonl", events, clock=None)

    return give


def test_feeds_are_equal_whatever_their_clocks_say(left, right, tmp_path):
    for other in (left, write(tmp_path / "other.jsonl", clock=7), right()):
        compared = compare_events(left, other)
        compared.check()
        assert compared.equal
        assert compared.events == 3
        assert compared.to_dict() == {
            "left": str(left),
            "right": str(other),
            "events": 3,
            "difference": None,
        }


def test_the_order_of_the_keys_is_no_difference(left, tmp_path):
    events = [dict(reversed(event.items())) for event in EVENTS]
    assert compare_events(left, write(tmp_path / "right.jsonl", events)).equal


@pytest.mark.parametrize(
    ("number", "changed", "told"),
    [
        (1, {"seed": 4}, ("seed", 3, 4)),
        (1, {"limits": {"train_rollouts": 9, "proposals": 1}}, ("limits.proposals", None, 1)),
        (2, {"parent_ids": ["p"]}, ("parent_ids.1", "q", None)),
        (2, {"parent_ids": ["p", "r"]}, ("parent_ids.1", "q", "r")),
        (2, {"components": {"a.b": "y"}}, ("components.a.b", "x" * 300 + "end", "y")),
        (3, {"type": "rollout.failed", "reward": 1}, ("type", "rollout.completed", "rollout.failed")),
        (3, {"reward": 0.25}, ("reward", 0.5, 0.25)),
        (3, {"cost_usd": 0.0}, ("cost_usd", None, 0.0)),
        (3, {"ok": 1}, ("ok", True, 1)),
    ],
)
def test_the_first_difference_is_named_with_its_event_path_and_values(left, right, number, changed, told):
    path, *values = told
    compared = compare_events(left, right(number, **changed))
    found = compared.difference
    assert (compared.events, compared.equal) == (number - 1, False)
    assert (found.seq, found.type, found.path) == (number, EVENTS[number - 1]["type"], path)
    fields = found.to_dict()
    assert [fields.get("left"), fields.get("right")] == values
    with pytest.raises(EventCompareError) as caught:
        compared.check()
    assert caught.value.difference == fields
    assert caught.value.exit_code is ExitCode.FAILED
    assert f"event {number} ({found.type}) differs in {path}: " in caught.value.message
    assert f"{left}:{number}" in caught.value.message
    assert f"right.jsonl:{number}" in caught.value.message


def test_a_value_that_is_not_there_is_told_from_null(left, right):
    found = compare_events(left, right(3, new=None)).difference
    assert found.to_dict() == {"seq": 3, "type": "rollout.completed", "path": "new", "right": None}
    with pytest.raises(EventCompareError, match=r"in new: nothing in .*left\.jsonl:3, null in .*right"):
        compare_events(left, right(3, new=None)).check()


def test_of_long_texts_the_part_is_shown_in_which_they_begin_to_differ(left, right):
    compared = compare_events(left, right(2, components={"a.b": "x" * 300 + "other"}))
    shown = rf'"{"x" * 40}end" \(from character 261\) in .*"{"x" * 40}other" \(from character 261\) in '
    with pytest.raises(EventCompareError, match=shown):
        compared.check()


@pytest.mark.parametrize("swapped", [False, True])
def test_a_feed_that_ends_earlier_is_a_difference(left, tmp_path, swapped):
    short = write(tmp_path / "short.jsonl", EVENTS[:2])
    compared = compare_events(*((short, left) if swapped else (left, short)))
    found = compared.difference.to_dict()
    assert (compared.events, found["seq"], found["path"]) == (2, 3, "")
    assert found["right" if swapped else "left"]["reward"] == 0.5
    assert ("left" if swapped else "right") not in found
    with pytest.raises(EventCompareError) as caught:
        compared.check()
    assert caught.value.message == (
        f"{short} ends after event 2, and {left}:3 goes on with event 3 (rollout.completed)"
    )


def test_another_configuration_is_told_by_what_to_do(left, right):
    for changed in ({"config_digest": "e"}, {"limits": {"train_rollouts": 8}}):
        with pytest.raises(EventCompareError, match=r"not runs of one configuration and seed"):
            compare_events(left, right(1, **changed)).check()


def test_a_gap_is_an_error_of_the_feed_that_has_it(left, tmp_path):
    gap = tmp_path / "gap.jsonl"
    gap.write_text("".join(left.read_text().splitlines(keepends=True)[::2]))
    for pair in ((left, gap), (gap, left)):
        with pytest.raises(EventFeedError, match=r"gap\.jsonl:2: the line has event 3 where event 2 belongs"):
            compare_events(*pair)


def test_runs_of_one_configuration_and_seed_are_equal_until_one_is_changed(project):
    one = project.run("r1").execute()
    other = project.run("r2").execute()
    assert compare_events(one.run_dir, other.run_dir).equal
    assert compare_events(one.run_dir, other.normalized_event_feed_path).events == one.events
    feed = other.run_dir / files.EVENTS
    lines = feed.read_text().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if '"rollout.completed"' in line)
    lines[at] = lines[at].replace('"reward":', '"reward":1')
    feed.write_text("".join(lines))
    found = compare_events(one.run_dir, other.run_dir).difference
    assert (found.seq, found.path) == (at + 1, "reward")
