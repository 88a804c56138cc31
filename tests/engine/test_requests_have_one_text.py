from __future__ import annotations

import hashlib
import json

import attrs
import pytest

from gepa_framework.engine import Propose, request_fields, request_text
from gepa_framework.types import (
    Candidate,
    EvidenceFrame,
    FailureKind,
    FrameKind,
    LeftOut,
    LineageStep,
    ProposalRequest,
    RejectedAttempt,
    RolloutFailure,
    canonical_json,
    digest,
)


@pytest.fixture
def request_(toy):
    """Make a request as it was before frames told more."""
    failure = RolloutFailure(FailureKind.TIMEOUT, "slow", "too slow", http_status=504)
    frames = (
        EvidenceFrame("a", {"q": ["x", {"y": None}]}, 0.5, "o", {"f": 1}, {"brevity": 0.5}),
        EvidenceFrame("b", {}, None, failure=failure),
    )
    attempt = RejectedAttempt("c", {"prompt": "0.1"}, "no better", 0.5, 0.25)
    parent = Candidate.of({"prompt": "0.2"})
    made = ProposalRequest(
        "p", 3, parent, ("prompt",), frames, (attempt,), toy.PROGRAM, {"about": "numbers"}, 7
    )
    return lambda **changes: attrs.evolve(made, **changes)


def test_the_digest_of_a_request_without_anything_new_is_what_it_always_was(request_):
    assert digest(request_fields(request_())) == (
        "e34fb971563809de29b771ba67472aeb36e1b1a0468137bd61b48945a2e06c8f"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"left_out": LeftOut(bytes=1)},
        {"lineage": (LineageStep("c", 0),)},
        {"rejected": (RejectedAttempt("c", {"prompt": "0.1"}, "no better", 0.5, 0.25, "ancestor"),)},
        *(
            {"evidence": (EvidenceFrame("a", {}, 0.5, **told),)}
            for told in (
                {},
                {"kind": FrameKind.WIN},
                {"metrics": {"a": 1.0}},
                {"rationales": {"a": "b"}},
                {"side_info": {"a": "b"}},
                {"trace_digest": "0"},
                {"count": 2},
                {"cut": ("inputs",)},
            )
        ),
    ],
    ids=str,
)
def test_everything_that_is_told_is_in_the_text(request_, changes):
    plain, told = request_text(request_()), request_text(request_(**changes))
    assert plain != told
    # Put together of what is remembered of its parts, it is what it would be if made at once.
    assert told == canonical_json(request_fields(request_(**changes)))
    for name, value in changes.items():
        assert (
            json.loads(told)[name]
            == json.loads(canonical_json(request_fields(request_(**{name: value}))))[name]
        )


def test_texts_of_different_frames_differ(request_):
    frames = [EvidenceFrame("a", {}, 0.5, kind=kind, count=n) for kind in FrameKind for n in (1, 2)]
    assert len({request_text(request_(evidence=(frame,))) for frame in frames}) == 6


def test_the_digest_of_a_command_is_that_of_its_text_and_of_the_fields(request_):
    command = Propose("p", request_())
    assert command.request_digest == hashlib.sha256(command.text.encode()).hexdigest()
    assert command.request_digest == digest(request_fields(command.request))
    assert json.loads(command.text)["parent"]["components"] == {"prompt": "0.2"}


def test_a_text_with_lone_surrogates_can_be_kept_and_says_the_same(request_):
    command = Propose("p", request_(task={"about": "half \ud800 a letter"}))
    command.text.encode()
    assert json.loads(command.text)["task"] == {"about": "half \ud800 a letter"}
    assert command.request_digest == hashlib.sha256(command.text.encode()).hexdigest()


def test_words_are_just_words(toy):
    """Whatever a text says of heldout rows, scores or leaks, it is proposed, run and told like any other."""
    words = "0.{} heldout test split val_score pareto_front win_counts candidate_selector leakage".format
    program = attrs.evolve(toy.PROGRAM, seed={"prompt": words(2)})
    world = toy.World(
        program=program,
        score=lambda command: float(command.candidate.components["prompt"][:3]),
        propose=lambda request: words(int(request.parent.components["prompt"][2]) + 1),
    )
    game = toy.play(toy.plan(), world)
    assert len(game.of("candidate.accepted")) == 3
    assert game.of("proposer.failed") == []
    told = game.world.of(Propose)[-1].request
    assert told.parent.components["prompt"] == words(4)
    assert "heldout test split" in request_text(told)
