from __future__ import annotations

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gepa_framework.engine import EvidenceLimits, Propose, request_fields
from gepa_framework.engine.evidence import evidence_of, judged, merged
from gepa_framework.engine.fitting import GONE, cut, size
from gepa_framework.engine.framing import SMALLEST_FRAME, bounded
from gepa_framework.engine.request import plain
from gepa_framework.errors import InvariantError
from gepa_framework.types import (
    EvidenceFrame,
    FailureKind,
    FrameKind,
    LeftOut,
    RolloutFailure,
    RolloutResult,
    Stage,
    canonical_json,
)

text = st.text(st.characters(exclude_categories=()), max_size=40)
long = st.builds(lambda piece, times: piece * times, text, st.integers(1, 120))
scalar = st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(-1e9, 1e9), long)
value = st.recursive(
    scalar,
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(long, inner, max_size=6)),
    max_leaves=20,
)
mapping = st.dictionaries(text, value, max_size=5)
numbers = st.dictionaries(text, st.floats(-1e9, 1e9), max_size=30)
failure = st.builds(RolloutFailure, kind=st.sampled_from(FailureKind), code=st.just("broke"), message=long)
frame = st.builds(
    EvidenceFrame,
    row_id=st.text(max_size=8),
    inputs=mapping,
    reward=st.floats(0, 1),
    output=value,
    feedback=mapping,
    objectives=numbers,
    metrics=numbers,
    rationales=st.dictionaries(text, long, max_size=3),
    side_info=mapping,
    trace_digest=st.sampled_from(["", "0" * 64]),
    kind=st.sampled_from([FrameKind.WIN, FrameKind.LOSS]),
    count=st.integers(1, 9),
)
failed = st.builds(EvidenceFrame, row_id=st.just("r"), inputs=mapping, reward=st.none(), failure=failure)
frames = st.lists(st.one_of(frame, frame, failed), max_size=14)
limits = st.builds(
    EvidenceLimits,
    max_bytes=st.integers(2048, 20_000),
    max_frame_bytes=st.integers(1024, 8000),
    max_frames=st.one_of(st.none(), st.integers(1, 10)),
)
thorough = settings(
    max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None
)


def in_all(shown):
    return size([plain(one) for one in shown])


def small(kinds, room=300):
    """Frames of some size and of these kinds: l, w or f."""
    names = {"l": FrameKind.LOSS, "w": FrameKind.WIN, "f": FrameKind.FAILURE}
    return [
        EvidenceFrame(f"r{number}", {"text": "x" * room}, 0.5, kind=names[kind])
        for number, kind in enumerate(kinds)
    ]


@thorough
@given(value, st.integers(0, 4000))
def test_a_value_is_cut_to_its_room_whatever_it_is(given_value, room):
    shown = cut(given_value, room)
    if shown is not GONE:
        assert size(shown) <= room
        assert shown == given_value or "left out ...]" in canonical_json(shown)
    if size(given_value) <= room:
        assert shown is given_value


@pytest.mark.parametrize("letter", ["x", "\n", "\u00e9", "\U0001f600", "\ud800"])
def test_a_text_is_cut_to_its_room_and_fills_it(letter):
    for room in (0, 30, 50, 100, 999):
        shown = cut(letter * 1000, room)
        assert shown is GONE if room < 40 else room - 14 <= size(shown) <= room


@thorough
@given(frames, limits)
def test_all_frames_together_keep_to_the_bytes(given_frames, given_limits):
    shown, left_out = bounded(given_frames, given_limits)
    assert in_all(shown) <= given_limits.max_bytes
    assert all(size(plain(one)) <= given_limits.max_frame_bytes for one in shown)
    assert len(shown) <= (given_limits.max_frames or len(given_frames))
    assert left_out.frames == len(given_frames) - len(shown) == left_out.losses + left_out.wins
    assert left_out.bytes == sum(size(plain(one)) for one in given_frames) - sum(
        size(plain(one)) for one in shown
    )


@thorough
@given(frames, limits)
def test_a_cut_frame_says_so_and_keeps_its_judgement(given_frames, given_limits):
    shown, _ = bounded(given_frames, given_limits)
    whole = iter(given_frames)
    for one in shown:
        original = next(each for each in whole if _facts(each) == _facts(one))
        changed = {
            name
            for name in plain(original)
            if name != "cut" and plain(original)[name] != plain(one).get(name)
        }
        assert changed == set(one.cut)
        marked = set(one.cut) - {"objectives", "metrics"}
        assert all(
            "left out ...]" in canonical_json(plain(one)[name]) for name in marked if plain(one).get(name)
        )


def _facts(one):
    return one.row_id, one.reward, one.kind, one.count, one.trace_digest


@thorough
@given(st.text("lwf", max_size=40), st.integers(2048, 20_000), st.integers(50, 2000))
def test_of_what_is_shown_a_quarter_are_wins_and_the_rest_are_losses(kinds, max_bytes, room):
    given_frames = small(kinds, room)
    shown, left_out = bounded(given_frames, EvidenceLimits(max_bytes=max_bytes))
    wins = sum(one.kind is FrameKind.WIN for one in shown)
    if left_out.frames:
        assert shown
        if len(shown) > 1:
            assert 4 * wins >= len(shown) or left_out.wins == 0
        assert 4 * (wins - 1) < len(shown) or left_out.losses == 0
        failures = [one for one in shown if one.kind is FrameKind.FAILURE]
        lost = [one for one in given_frames if one.kind is FrameKind.LOSS]
        assert not failures or all(one in shown or one.row_id in {s.row_id for s in shown} for one in lost)


@thorough
@given(frames, limits)
def test_what_is_shown_stands_in_the_order_of_the_rows_and_is_the_same_every_time(given_frames, given_limits):
    named = [attrs.evolve(one, row_id=str(number)) for number, one in enumerate(given_frames)]
    shown, _ = bounded(named, given_limits)
    places = [int(one.row_id) for one in shown]
    assert places == sorted(places)
    assert bounded(named, given_limits) == bounded(named, given_limits)


def test_what_fits_is_left_as_it_is():
    given_frames = small("lwwwwww")
    assert bounded(given_frames, EvidenceLimits()) == (tuple(given_frames), LeftOut())


def test_frames_are_cut_before_any_is_left_out():
    shown, left_out = bounded(small("lwlw", 5000), EvidenceLimits(max_bytes=8192))
    assert len(shown) == 4
    assert left_out.frames == 0
    assert left_out.bytes > 4 * 5000 - 8192
    assert all(one.cut == ("inputs",) for one in shown)
    assert "characters left out ...]" in shown[0].inputs["text"]


def test_the_shortest_frames_are_not_cut_for_the_sake_of_the_longest():
    given_frames = [*small("lw", 100), *small("l", 50_000)]
    shown, _ = bounded(given_frames, EvidenceLimits(max_bytes=8192))
    assert [one.cut for one in shown] == [(), (), ("inputs",)]
    assert in_all(shown) > 8000


def test_rather_than_cut_too_small_frames_are_left_out_and_the_losses_stay():
    shown, left_out = bounded(small("wwwwwwwwllllllll", 5000), EvidenceLimits(max_bytes=8 * SMALLEST_FRAME))
    assert [one.kind.value for one in shown] == ["win"] * 2 + ["loss"] * 5
    assert (left_out.frames, left_out.losses, left_out.wins) == (9, 3, 6)


def test_a_frame_whose_id_alone_is_too_long_is_left_out_and_counted():
    endless = attrs.evolve(small("l")[0], row_id="x" * 30_000)
    shown, left_out = bounded([endless, *small("w")], EvidenceLimits())
    assert [one.row_id for one in shown] == ["r0"]
    assert (left_out.frames, left_out.losses) == (1, 1)


@thorough
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0.0, 1.0])), max_size=30))
def test_equal_frames_are_counted_and_shown_once(triples):
    found = merged([EvidenceFrame(str(n), {"i": i}, r, o) for n, (i, o, r) in enumerate(triples)])
    seen = [(one.inputs["i"], one.output, one.reward) for one in found]
    assert seen == list(dict.fromkeys(triples))
    assert [one.count for one in found] == [triples.count(each) for each in seen]


def test_failures_of_different_causes_are_not_equal():
    causes = [RolloutFailure(FailureKind.TIMEOUT, "slow", message) for message in ("a", "b", "a")]
    found = merged([EvidenceFrame("r", {}, None, failure=cause) for cause in causes])
    assert [(one.failure.message, one.count) for one in found] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize(
    ("rewards", "perfect", "kinds"),
    [
        ([0.0, 1.0, None, 0.9], 1.0, "lwfl"),
        ([0.0, 2.0, 3.0], 2.0, "lww"),
        ([40.0, 90.0], None, "lw"),
        ([40.0, 40.0, 90.0], None, "llw"),
        ([90.0, 90.0, 40.0, None], None, "wwlf"),
        ([5.0, 5.0, 5.0], None, "lll"),
        ([None], None, "f"),
    ],
)
def test_a_win_is_what_is_perfect_or_else_at_least_the_median(rewards, perfect, kinds):
    found = [EvidenceFrame("r", {}, reward) for reward in rewards]
    assert "".join(one.kind.value[0] for one in judged(found, perfect)) == kinds


def test_frames_tell_all_that_a_rollout_told(toy):
    result = RolloutResult(
        0.5,
        metrics={"length": 3.0},
        rationales={"brevity": "too long"},
        side_info={"expected": "x"},
        trace_digest="f" * 64,
    )
    world = toy.World(score=lambda c: result if c.stage is Stage.PARENT else 0.2)
    (command,) = toy.play(toy.plan(limits={"iterations": 1}), world).world.of(Propose)
    one = command.request.evidence[0]
    assert (one.metrics, one.rationales, one.side_info) == (
        {"length": 3.0},
        {"brevity": "too long"},
        {"expected": "x"},
    )
    assert (one.trace_digest, one.kind, one.count, one.cut) == ("f" * 64, FrameKind.LOSS, 1, ())
    assert request_fields(command.request)["evidence"][0]["rationales"] == {"brevity": "too long"}


def test_limits_of_the_plan_reach_the_request(toy):
    plan = toy.plan(
        train=8, minibatch_size=8, limits={"iterations": 1}, evidence=EvidenceLimits(max_frames=3)
    )
    (command,) = toy.play(plan).world.of(Propose)
    assert len(command.request.evidence) == 3
    assert command.request.left_out.frames == 5
    assert request_fields(command.request)["left_out"]["losses"] == 5


def test_the_perfect_score_of_the_run_judges(toy):
    world = toy.World(score=lambda c: 0.2 if c.row.id == "train:0" else 0.7)
    plan = toy.plan(minibatch_size=4, perfect_score=0.7, limits={"iterations": 1})
    (command,) = toy.play(plan, world).world.of(Propose)
    assert {one.row_id: one.kind.value for one in command.request.evidence} == {
        "train:0": "loss",
        **{f"train:{n}": "win" for n in (1, 2, 3)},
    }


@pytest.mark.parametrize("shared", [False, True])
def test_a_heldout_row_is_never_made_into_a_frame(toy, shared):
    run = toy.play().run
    if shared:
        run.plan = attrs.evolve(run.plan, heldout=attrs.evolve(run.plan.heldout, split="train"))
        run.heldout = tuple(attrs.evolve(row, split="train") for row in run.heldout)
    with pytest.raises(InvariantError, match=r"'heldout:100' is a heldout row"):
        evidence_of(run, [*run.train[:1], run.heldout[0]], [RolloutResult(0.5), RolloutResult(0.5)])
    assert len(evidence_of(run, run.train[:1], [RolloutResult(0.5)]).frames) == 1
