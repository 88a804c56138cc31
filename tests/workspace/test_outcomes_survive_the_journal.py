from __future__ import annotations

import json
import math

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gepa_framework.engine import Abandoned, Cancel, Completed, Extend, Limits, ProposalFailure, Tick
from gepa_framework.errors import InvariantError
from gepa_framework.types import (
    FREE,
    ComponentSpec,
    ContainerInfo,
    Edit,
    FailureKind,
    Program,
    Proposal,
    RolloutFailure,
    RolloutResult,
    TaskRow,
    Usage,
)
from gepa_framework.workspace import (
    START,
    Encoded,
    decode_outcome,
    encode_control,
    encode_outcome,
    is_exact,
)
from gepa_framework.workspace.codec import decode

# Lone surrogates included: a container may answer with one, and a file cannot hold it as it is.
text = st.text(st.characters(exclude_categories=()), max_size=12)
finite = st.floats(allow_nan=False, allow_infinity=False)
number = st.one_of(st.integers(-(10**40), 10**40), finite)
json_value = st.recursive(
    st.one_of(st.none(), st.booleans(), number, text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
    max_leaves=8,
)
json_object = st.dictionaries(text, json_value, max_size=3)
scores = st.dictionaries(text, finite, max_size=3)
count = st.one_of(st.none(), st.integers(0, 10**12))
usage = st.builds(
    Usage, count, count, count, st.one_of(st.none(), st.floats(0, 1e6)), st.one_of(st.none(), text)
)
row = st.builds(TaskRow, text, text, json_object, st.one_of(st.none(), st.integers()))
texts = st.lists(text, max_size=3).map(tuple)
spec = st.builds(ComponentSpec, text, text, text, text, texts)
failure = st.builds(
    RolloutFailure,
    kind=st.sampled_from(FailureKind),
    code=text,
    message=text,
    retryable=st.booleans(),
    http_status=st.one_of(st.none(), st.integers(100, 599)),
    retry_after_seconds=st.one_of(st.none(), st.floats(0, 1e6)),
    usage=usage,
)
result = st.builds(
    RolloutResult,
    reward=finite,
    objectives=scores,
    metrics=scores,
    output=json_value,
    feedback=json_object,
    usage=usage,
    trace_digest=text,
    status_detail=text,
    rationales=st.dictionaries(text, text, max_size=3),
    side_info=json_object,
)
program = st.builds(
    Program,
    text,
    text,
    st.lists(spec, max_size=3).map(tuple),
    st.lists(text, max_size=3).map(tuple),
    st.dictionaries(text, text, max_size=3),
    json_object,
)
edits = st.dictionaries(text, st.lists(st.builds(Edit, text, text), max_size=3), max_size=3)
model = st.one_of(st.none(), text.filter(bool))
proposal = st.builds(
    Proposal,
    st.dictionaries(text, text, max_size=3),
    text,
    usage,
    st.one_of(st.none(), text),
    json_object,
    edits,
    st.booleans(),
    model,
)
info = st.builds(ContainerInfo, text, text, json_object, st.booleans(), json_object)
outcome = st.one_of(
    result,
    failure,
    program,
    proposal,
    info,
    st.builds(ProposalFailure, text, text, usage),
    st.lists(row, max_size=3).map(tuple),
)


def fields(value):
    """Give everything that a value holds, so that fields left out of equality count too."""
    if isinstance(value, tuple):
        return [fields(item) for item in value]
    held = {}
    for field in type(value).__attrs_attrs__:
        item = getattr(value, field.name)
        held[field.name] = dict(item) if hasattr(item, "keys") else item
    return held


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(outcome)
def test_every_outcome_comes_back_as_it_was(given_outcome):
    encoded = encode_outcome(given_outcome, "some/effect")
    again = decode_outcome(encoded.kind, encoded.payload)
    assert type(again) is type(given_outcome)
    assert fields(again) == fields(given_outcome)
    assert encode_outcome(again, "some/effect") == encoded


@given(outcome)
def test_the_payload_can_be_written_as_utf_8(given_outcome):
    encode_outcome(given_outcome).payload.encode()


@given(outcome, text)
def test_an_outcome_is_decoded_as_the_completion_of_its_effect(given_outcome, effect):
    assert decode(encode_outcome(given_outcome, effect)) == Completed(effect, given_outcome)


@pytest.mark.parametrize(
    "control",
    [
        Tick(),
        Cancel("enough"),
        Cancel("\ud800"),
        Cancel(""),
        Extend(Limits(1, 2)),
        Extend(
            Limits(1, 2, iterations=3, seconds=4.5, cost_usd=0.1, total_tokens=8),
            ("gepa.max_cost_usd=0.1", "stoppers.0.seconds=1e+300"),
        ),
        Cancel("enough", ("proposal/1", "\ud800")),
        Abandoned(()),
        Abandoned(("rollout/1/seed/x/train/\ud800", "proposal/1")),
    ],
)
def test_controls_come_back_as_they_were(control):
    assert decode(encode_control(control)) == control


def test_the_start_is_no_input():
    assert decode(START) is None


def test_nothing_and_an_empty_text_stay_apart():
    for output in (None, "", [], {}, 0, False):
        encoded = encode_outcome(RolloutResult(0.0, output=output))
        again = decode_outcome(encoded.kind, encoded.payload)
        assert again.output == output
        assert type(again.output) is type(output)


@pytest.mark.parametrize("reward", [0, 1, 0.1, -0.0, 5e-324, 1.7976931348623157e308])
def test_a_reward_comes_back_to_the_last_bit(reward):
    encoded = encode_outcome(RolloutResult(reward))
    again = decode_outcome(encoded.kind, encoded.payload).reward
    assert math.copysign(1, again) == math.copysign(1, reward)
    assert again == reward


def test_defaults_take_no_room():
    assert encode_outcome(RolloutResult(0.5)).payload == '{"reward":0.5,"usage":{}}'


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(ValueError, match="JSON"):
        encode_outcome(RolloutResult(0.0, output={"deep": [bad]}))


@pytest.mark.parametrize("bad", [object(), {1, 2}, b"bytes", {"deep": [object()]}])
def test_what_is_not_json_is_refused(bad):
    with pytest.raises(TypeError, match="JSON"):
        encode_outcome(RolloutResult(0.0, output=bad))


def test_what_is_no_outcome_is_an_error_of_ours():
    with pytest.raises((InvariantError, KeyError)):
        encode_outcome(object())


def test_an_unknown_kind_is_not_taken_for_another():
    with pytest.raises(KeyError):
        decode(Encoded("rumour", "effect", "{}"))


def test_a_proposal_without_edits_is_kept_as_it_always_was():
    kept = json.loads(encode_outcome(Proposal({"prompt": "x"}, model="m")).payload)
    assert set(kept) == {"components", "rationale", "usage", "model", "metadata"}


def test_a_journal_from_before_edits_and_variables_is_read():
    told = {"components": {"prompt": "x"}, "rationale": "r", "usage": {}, "model": None, "metadata": {}}
    assert decode_outcome("proposal", json.dumps(told)) == Proposal({"prompt": "x"}, "r")
    component = {"name": "prompt", "module_id": "m", "role": "", "objective": ""}
    told = {"program_id": "p", "task_id": "t", "components": [component], "targets": [], "seed": {}}
    assert decode_outcome("program", json.dumps(told)).components == (ComponentSpec("prompt", "m"),)


def test_an_edit_that_is_none_is_refused_where_it_is_made():
    with pytest.raises(TypeError, match=r"edits\['prompt'\] must hold Edit values, got tuple"):
        Proposal(edits={"prompt": [("a", "b")]})


def test_a_cancel_of_an_older_journal_names_nothing_that_had_begun():
    assert decode(Encoded("cancel", None, '{"reason":"enough"}')) == Cancel("enough", ())


def test_a_result_of_an_older_journal_still_decodes():
    old = decode_outcome("rollout", '{"reward":0.5,"feedback":{"expected":"x"},"usage":{}}')
    assert old == RolloutResult(0.5, feedback={"expected": "x"})
    assert (old.rationales, old.side_info) == ({}, {})


_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)


@given(
    reward=st.floats(-1e9, 1e9) | st.integers(-5, 5),
    output=_SCALARS | st.lists(_SCALARS, max_size=2),
    feedback=st.dictionaries(st.text(), _SCALARS | st.lists(_SCALARS, max_size=2), max_size=3),
    objectives=st.dictionaries(st.text(), st.floats(-1, 1), max_size=2),
)
def test_what_is_exact_is_what_decoding_gives(reward, output, feedback, objectives):
    result = RolloutResult(reward=reward, output=output, feedback=feedback, objectives=objectives, usage=FREE)
    encoded = encode_outcome(result)
    decoded = decode_outcome(encoded.kind, encoded.payload)
    if is_exact(result):
        assert decoded == result
        assert repr(decoded) == repr(result)
    nested = any(isinstance(value, list) for value in (output, *feedback.values()))
    assert is_exact(result) is not nested


class Loud(str):
    """A text that JSON gives back as another type."""

    __slots__ = ()


@pytest.mark.parametrize(
    "fields",
    [{"output": Loud("x")}, {"feedback": {Loud("x"): 1}}, {"feedback": {"x": (1, 2)}}, {"output": {"x": 1}}],
)
def test_what_decoding_would_change_is_not_exact(fields):
    assert not is_exact(RolloutResult(reward=1.0, usage=FREE, **fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"components": {"skills": Loud("x")}},
        {"components": {Loud("skills"): "x"}},
        {"metadata": {"turns": [1, 2]}},
        {"rationale": Loud("x")},
        {"edits": {"skills": [Edit("a", "b")]}},
    ],
)
def test_only_a_plain_proposal_of_whole_texts_is_exact(fields):
    plain = Proposal({"skills": "x"}, rationale="why", model="m", metadata={"turns": 2}, usage=FREE)
    encoded = encode_outcome(plain)
    assert is_exact(plain)
    assert repr(decode_outcome(encoded.kind, encoded.payload)) == repr(plain)
    assert not is_exact(attrs.evolve(plain, **fields))
