from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.engine import Describe, Propose, Rollout
from gepa_framework.engine.lanes import OVERTAKES, PROPOSE, ROLLOUT, SETUP, Lanes
from gepa_framework.errors import InvariantError
from gepa_framework.types import Candidate, Program, ProposalRequest, Stage, TaskRow

URGENT = (Stage.PARENT, Stage.CHILD)
CANDIDATE = Candidate.of({"prompt": "x"})
ROW = TaskRow("1", "train")
REQUEST = ProposalRequest("p", 1, CANDIDATE, ("prompt",), (), (), Program("p", "p", (), ("prompt",), {}))


def rollout(name, stage=Stage.FULL):
    return Rollout(name, CANDIDATE, ROW, stage, 1, "task")


def lanes(*, rollouts=1, proposals=1, setup=1):
    return Lanes({ROLLOUT: rollouts, PROPOSE: proposals, SETUP: setup})


def names(commands):
    return [command.effect_id for command in commands]


def drained(queue):
    """Let one command after the other begin and end; give them in their order."""
    order = []
    while begun := names(queue.begin()):
        order += begun
        for name in begun:
            queue.end(name)
    return order


def test_each_sort_of_command_has_a_lane_of_its_own():
    queue = lanes()
    for command in (rollout("r"), Propose("p", REQUEST), Describe("d"), rollout("r2")):
        queue.offer(command)
    assert names(queue.begin()) == ["d", "p", "r"]
    assert [queue.busy(lane) for lane in (SETUP, PROPOSE, ROLLOUT)] == [1, 1, 1]
    assert [queue.waiting(lane) for lane in (SETUP, PROPOSE, ROLLOUT)] == [0, 0, 1]
    assert queue.begin() == []
    queue.end("p")
    assert queue.begin() == []
    queue.end("r")
    assert names(queue.begin()) == ["r2"]


@pytest.mark.parametrize("stage", list(Stage))
def test_commands_of_one_rank_begin_in_the_order_in_which_they_came(stage):
    queue = lanes(rollouts=2)
    order = [f"{number}" for number in range(10)]
    for name in order:
        queue.offer(rollout(name, stage))
    assert drained(queue) == order


@pytest.mark.parametrize("urgent", URGENT)
@pytest.mark.parametrize("patient", [stage for stage in Stage if stage not in URGENT])
def test_minibatches_go_first_and_every_fourth_start_is_an_evaluation(urgent, patient):
    queue = lanes()
    for number in range(4):
        queue.offer(rollout(f"full {number}", patient))
    for number in range(8):
        queue.offer(rollout(f"mini {number}", urgent))
    expected = "mini 0,mini 1,mini 2,full 0,mini 3,mini 4,mini 5,full 1,mini 6,mini 7,full 2,full 3"
    assert drained(queue) == expected.split(",")


def test_minibatches_that_overtake_nobody_are_not_held_against_those_that_follow():
    queue = lanes()
    for number in range(OVERTAKES + 2):
        queue.offer(rollout(f"alone {number}", Stage.PARENT))
    drained(queue)
    queue.offer(rollout("full"))
    queue.offer(rollout("mini", Stage.CHILD))
    assert drained(queue) == ["mini", "full"]


def test_what_waits_is_forgotten_and_what_is_under_way_keeps_its_place():
    queue = lanes(rollouts=2)
    for name, stage in (("a", Stage.FULL), ("b", Stage.FULL), ("c", Stage.FULL), ("d", Stage.PARENT)):
        queue.offer(rollout(name, stage))
    queue.offer(rollout("e"))
    assert names(queue.begin()) == ["d", "a"]
    assert queue.withdraw(["e", "nobody", "a", "b", "d"]) == (("a", "d"), ("e", "b"))
    assert queue.begin() == []
    assert queue.busy(ROLLOUT) == 2
    queue.end("a")
    assert names(queue.begin()) == ["c"]
    assert queue.withdraw(["e", "b"]) == ((), ())


def test_a_lane_that_is_narrowed_begins_nothing_until_it_has_room():
    queue = lanes(rollouts=3)
    for name in "abcdef":
        queue.offer(rollout(name))
    queue.begin()
    queue.resize(ROLLOUT, 1)
    for name in "ab":
        queue.end(name)
        assert queue.begin() == []
    queue.end("c")
    assert names(queue.begin()) == ["d"]
    queue.resize(ROLLOUT, 0)
    queue.end("d")
    assert queue.begin() == []
    queue.resize(ROLLOUT, 5)
    assert names(queue.begin()) == ["e", "f"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda queue: queue.offer(rollout("waits", Stage.PARENT)), "'waits' was offered twice"),
        (lambda queue: queue.offer(rollout("runs")), "'runs' was offered twice"),
        (lambda queue: queue.end("waits"), "'waits' ended and was not under way"),
        (lambda queue: queue.end("nobody"), "'nobody' ended and was not under way"),
        (lambda queue: queue.resize("evaluate", 1), "there is no lane 'evaluate'"),
        (lambda queue: queue.busy("evaluate"), "there is no lane 'evaluate'"),
        (lambda queue: queue.waiting("evaluate"), "there is no lane 'evaluate'"),
        (lambda queue: queue.resize(ROLLOUT, -1), "rollout = -1"),
        (lambda queue: Lanes({ROLLOUT: 1}), r"lanes setup, propose, rollout, got \['rollout'\]"),
        (lambda queue: Lanes({ROLLOUT: 1, PROPOSE: 1, SETUP: -2}), "setup = -2"),
    ],
)
def test_what_cannot_be_is_an_error(wrong, words):
    queue = lanes()
    queue.offer(rollout("runs"))
    queue.begin()
    queue.offer(rollout("waits", Stage.PARENT))
    with pytest.raises(InvariantError, match=words):
        wrong(queue)
    queue.end("runs")
    assert names(queue.begin()) == ["waits"]


MOVES = st.lists(
    st.tuples(st.sampled_from(["offer", "begin", "end", "withdraw", "resize"]), st.integers(0, 30)),
    max_size=80,
)


@given(width=st.integers(0, 4), moves=MOVES)
def test_whatever_happens_each_command_begins_once_or_is_withdrawn(width, moves):
    queue = lanes(rollouts=width)
    waits, runs, gone = [], [], []
    for number, (move, pick) in enumerate(moves):
        if move == "offer":
            waits.append(f"{number}")
            queue.offer(rollout(waits[-1], list(Stage)[pick % 5]))
        elif move == "begin":
            began = names(queue.begin())
            assert len(began) == min(len(waits), max(0, width - len(runs))), "no place is left free in vain"
            assert set(began) <= set(waits)
            waits = [name for name in waits if name not in began]
            runs += began
        elif move == "end" and runs:
            gone.append(runs.pop(pick % len(runs)))
            queue.end(gone[-1])
        elif move == "withdraw" and waits + runs:
            name = (waits + runs)[pick % len(waits + runs)]
            under_way = name in runs
            assert queue.withdraw([name, *gone]) == (((name,), ()) if under_way else ((), (name,)))
            waits = [other for other in waits if other != name]
        elif move == "resize":
            width = pick % 5
            queue.resize(ROLLOUT, width)
        assert (queue.busy(ROLLOUT), queue.waiting(ROLLOUT)) == (len(runs), len(waits))
    queue.resize(ROLLOUT, 1)
    for name in runs:
        queue.end(name)
    assert sorted(drained(queue)) == sorted(waits)


@given(ahead=st.integers(0, 6), flood=st.lists(st.integers(0, 6), max_size=60))
def test_an_evaluation_begins_within_four_starts_for_each_in_front_of_it(ahead, flood):
    """However many minibatches keep coming."""
    queue = lanes()
    for number in range(ahead + 1):
        queue.offer(rollout(f"full {number}"))
    starts, offered = [], 0
    for more in [*flood, *[1] * 40]:
        for _ in range(more):
            queue.offer(rollout(f"mini {offered}", Stage.PARENT))
            offered += 1
        starts += (began := names(queue.begin()))
        for name in began:
            queue.end(name)
    assert starts.index(f"full {ahead}") < (OVERTAKES + 1) * (ahead + 1)


def test_lanes_know_whether_anything_waits_and_give_no_more_than_asked_for():
    queue = lanes(rollouts=3)
    for name in "abcd":
        queue.offer(rollout(name))
    assert names(queue.begin(1)) == ["a"]
    assert names(queue.begin(0)) == []
    assert names(queue.begin()) == ["b", "c"]
    assert queue.any_waiting
    queue.withdraw(["d", "a", "nobody"])
    assert not queue.any_waiting
    assert names(queue.begin()) == []
