from __future__ import annotations

import attrs
import pytest

from gepa_framework.engine import Describe, LoadProgram, LoadRows
from gepa_framework.runtime import RequestDigests
from gepa_framework.types import (
    Candidate,
    EvidenceFrame,
    RejectedAttempt,
    Repair,
    RowsRequest,
    Stage,
    TaskRow,
)


def digests(**changes):
    fields = {"transport": "fake", "proposer": "fake", "proposer_config": {"model": "m"}, "policy": {"t": 0}}
    return RequestDigests(**{**fields, **changes})


def test_a_rollout_is_the_same_request_whenever_and_why_it_is_asked(kit):
    command = kit.rollout()
    same = [
        command,
        kit.rollout(stage=Stage.CHILD, iteration=7),
        attrs.evolve(command, effect_id="another"),
        attrs.evolve(command, row=attrs.evolve(command.row, seed=5)),
    ]
    assert len({digests().key(each) for each in same}) == 1


def test_a_rollout_is_another_request_when_anything_that_matters_differs(kit):
    command = kit.rollout()
    others = [
        command,
        kit.rollout(text="1 " * 12),
        kit.rollout(row="train:2"),
        attrs.evolve(command, task_id="other"),
        attrs.evolve(command, row=attrs.evolve(command.row, data={"topic": 2})),
        attrs.evolve(command, row=attrs.evolve(command.row, split="heldout")),
    ]
    keys = {digests().key(each) for each in others} | {digests(policy={"t": 1}).key(command)}
    assert len(keys) == 7


def test_the_order_of_keys_makes_no_other_request(kit):
    command = kit.rollout()
    turned = attrs.evolve(command.row, data=dict(reversed(command.row.data.items())))
    first, second = digests(policy={"a": 1, "b": 2}), digests(policy={"b": 2, "a": 1})
    assert first.key(command) == second.key(attrs.evolve(command, row=turned))


def test_what_was_digested_once_is_remembered(kit):
    requests = digests()
    assert requests.key(kit.rollout()) == requests.key(kit.rollout()) == digests().key(kit.rollout())


@pytest.mark.parametrize(
    "changes",
    [
        {"iteration": 2},
        {"seed": 5},
        {"components": ("skills", "more")},
        {"parent": Candidate.of({"skills": "other"})},
        {"evidence": (EvidenceFrame("r", {"a": 1}, 0.5),)},
        {"rejected": (RejectedAttempt("c", {"skills": "x"}, "no better"),)},
        {"task": {"about": "birds"}},
        {"repair": Repair(("it is empty",), "{}")},
    ],
)
def test_a_proposal_is_another_request_when_anything_told_differs(kit, changes):
    assert digests().key(kit.propose(**changes)) != digests().key(kit.propose())


def test_a_proposal_depends_on_the_proposer_and_its_settings_but_not_on_its_id(kit):
    command = kit.propose()
    keys = {
        digests().key(command),
        digests(proposer="other").key(command),
        digests(proposer_config={"model": "n"}).key(command),
    }
    assert len(keys) == 3
    assert digests().key(kit.propose(proposal_id="x")) == digests().key(command)
    assert digests(policy={"t": 1}).key(command) == digests().key(command)


def test_rows_are_told_apart_by_all_that_is_asked():
    wanted = [
        RowsRequest("train", seeds=(1, 2)),
        RowsRequest("train", seeds=(2, 1)),
        RowsRequest("test", seeds=(1, 2)),
        RowsRequest("train", ids=("1", "2")),
        RowsRequest("train", seeds=(1, 2), filters={"hard": True}),
    ]
    assert len({digests().key(LoadRows("r", each)) for each in wanted}) == 5
    assert digests().key(LoadRows("a", wanted[0])) == digests().key(LoadRows("b", wanted[0]))


def test_set_up_is_told_apart_by_boundary_and_transport():
    keys = {
        requests.key(command)
        for requests in (digests(), digests(transport="other"))
        for command in (Describe("x"), LoadProgram("x"))
    }
    assert len(keys) == 4


def test_every_boundary_has_its_name(kit):
    commands = {
        "container.metadata": Describe("x"),
        "container.program": LoadProgram("x"),
        "container.dataset_rows": LoadRows("x", RowsRequest("train", seeds=(1,))),
        "container.rollout": kit.rollout(),
        "proposer.fake": kit.propose(),
    }
    for name, command in commands.items():
        assert digests().boundary(command) == name


def test_a_lone_surrogate_is_no_obstacle(kit):
    row = TaskRow("a", "train", {"text": "\ud800"})
    assert digests().key(attrs.evolve(kit.rollout(text="\udfff"), row=row, task_id="\ud800"))
