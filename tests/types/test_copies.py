from __future__ import annotations

from types import MappingProxyType

import attrs
import pytest

from gepa_framework.testing.fakes import SkillTask
from gepa_framework.types import EvidenceFrame
from gepa_framework.types.copies import own_copy


@attrs.frozen
class Inner:
    names: list[str] = attrs.Factory(list)


@attrs.frozen(cache_hash=True)
class Outer:
    inner: Inner
    table: dict[str, list[int]] = attrs.field(factory=dict, hash=False)
    late: int = attrs.field(init=False, default=0)


def test_a_copy_is_equal_and_shares_nothing_that_can_be_changed():
    outer = Outer(Inner(["a"]), {"b": [1, 2]})
    copied = own_copy(outer)
    assert copied == outer
    copied.inner.names.append("c")
    copied.table["b"].append(3)
    copied.table["d"] = []
    assert outer == Outer(Inner(["a"]), {"b": [1, 2]})


@pytest.mark.parametrize(
    "value",
    [1, "a", None, (1, [2]), {"a": {"b": [1]}}, frozenset({1}), {1, 2}, MappingProxyType({"a": [1]}), [[]]],
)
def test_a_copy_has_the_type_that_the_value_has(value):
    copied = own_copy(value)
    assert type(copied) is type(value)
    assert copied == value


def test_what_stands_deep_in_evidence_is_copied():
    frame = EvidenceFrame("r", {"list": [{"deep": 1}]}, reward=0.0)
    own_copy(frame).inputs["list"][0]["deep"] = 2
    assert frame.inputs["list"] == [{"deep": 1}]


def test_a_validator_or_a_converter_is_not_asked_again():
    @attrs.frozen
    class Once:
        text: str = attrs.field(converter=lambda text: text + "!")

    assert own_copy(Once("a")).text == "a!"
    assert own_copy(SkillTask()) == SkillTask()


def test_what_cannot_be_changed_is_shared():
    frame = EvidenceFrame("r", {"text": "a", "number": 1}, reward=0.0)
    assert own_copy(frame) is frame
    assert own_copy((frame, "a")) == (frame, "a")
    assert own_copy((frame, "a"))[0] is frame


def test_values_that_can_be_changed_are_not_shared_though_all_they_hold_is():
    @attrs.define
    class Changeable:
        text: str = "a"

    given = Changeable()
    own_copy(given).text = "b"
    assert given.text == "a"
    assert own_copy([1]) is not own_copy([1])
