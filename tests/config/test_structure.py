from __future__ import annotations

from pathlib import Path
from typing import Literal

import attrs
import pytest

from gepa_framework.config.structure import Faults, strict_converter
from gepa_framework.types import JSONObject

RICH = """\
[dataset]
train_seeds = [1]
heldout_seeds = [2]
[proposer]
backend = "scripted"
[container]
transport = "rich"
"""
HEAD = "gepa.toml:8"


@pytest.fixture
def rich_lines(lines_of):
    return lambda text: lines_of(RICH + text, whole=True)


@pytest.fixture
def rich(parse):
    return lambda text: parse(RICH + text, whole=True).config.container.options


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('count = "1"', ':1: container.count: expected an integer, got the string "1"'),
        ("count = true", ":1: container.count: expected an integer, got the boolean true"),
        ("count = 1.0", ":1: container.count: expected an integer, got the float 1.0"),
        ("count = 9", ":1: container.count: must be in [1, 2, 3] (got 9)"),
        (
            "count = 18446744073709551616",
            ":1: container.count: is no 64-bit integer; write a number nearer to zero",
        ),
        ('ratio = "0.5"', ':1: container.ratio: expected a number, got the string "0.5"'),
        ("ratio = false", ":1: container.ratio: expected a number, got the boolean false"),
        (
            "ratio = 18446744073709551616",
            ":1: container.ratio: is no 64-bit integer; write a number nearer to zero",
        ),
        ("ratio = nan", ":1: container.ratio: must be finite: nan"),
        ("ratio = -inf", ":1: container.ratio: must be finite: -inf"),
        ('colour = "rde"', ":1: container.colour: \"rde\" is not one of red, blue; did you mean 'red'?"),
        ('colour = "green"', ':1: container.colour: "green" is not one of red, blue'),
        ("colour = 1", ":1: container.colour: expected one of red, blue, got the integer 1"),
        ("retry = 1", ":1: container.retry: expected a table, got the integer 1"),
        ("retry.attempts = 0", ":7: container.retry.attempts: must be > 0: 0"),
        ("retry.atempts = 3", ":7: container.retry.atempts: unknown key 'atempts'; did you mean 'attempts'?"),
        (
            "retry.xyz = 3",
            ":7: container.retry.xyz: unknown key 'xyz'; known here: attempts, pauses",
        ),
        ("retry.pauses = [1, 'x']", ':20: container.retry.pauses.1: expected a number, got the string "x"'),
        ("retries = [{}, {attempts = -1}]", ":17: container.retries.1.attempts: must be > 0: -1"),
        ("retries = {}", ":1: container.retries: expected an array, got a table"),
        ('names = "x"', ':1: container.names: expected an array, got the string "x"'),
        ("names = [3]", ":10: container.names.0: expected a string, got the integer 3"),
        ("either = 1.5", ":1: container.either: expected an integer or a string, got the float 1.5"),
        ("pair = [1]", ":1: container.pair: expected 2 elements, got 1"),
        ('pair = ["a", "b"]', ':9: container.pair.0: expected an integer, got the string "a"'),
        ("table_or_list = {attempts = 0}", ":18: container.table_or_list.attempts: must be > 0: 0"),
        (
            'table_or_list = [1, "x"]',
            ':21: container.table_or_list.1: expected an integer, got the string "x"',
        ),
        ("table_or_list = 1", ":1: container.table_or_list: expected a table or an array, got the integer 1"),
        (
            "extra = {a = [1, {b = 2020-01-01}]}",
            ":19: container.extra.a.1.b: expected a value that JSON knows, got the date 2020-01-01",
        ),
        ("extra = {a = nan}", ":10: container.extra.a: must be finite: nan"),
        (
            "call = 1",
            (
                ":1: container.call: cannot be set in a TOML file: its type is "
                "collections.abc.Callable[[], int] | None"
            ),
        ),
        ("_hidden = 'x'", ":1: container._hidden: unknown key '_hidden'"),
        ("shown = 1", ":1: container.shown: expected a string, got the integer 1"),
        ("upper = -1", ":1: container.upper: must be at least lower (0)"),
        (f'count = "{"x" * 50}"', f':1: container.count: expected an integer, got the string "{"x" * 40}…"'),
    ],
)
def test_a_value_is_never_turned_into_another_type(rich_lines, text, line):
    assert [found.removesuffix("[") for found in rich_lines(text)] == [HEAD + line]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("ratio = 3", "ratio", 3.0),
        ('colour = "blue"', "colour", "blue"),
        ("retry = {attempts = 5, pauses = [1, 2.5]}", "retry.pauses", (1.0, 2.5)),
        ("retries = [{}, {attempts = 4}]", "retries.1.attempts", 4),
        ("names = ['b', 'a']", "names", frozenset({"a", "b"})),
        ("either = 'x'", "either", "x"),
        ("either = 4", "either", 4),
        ("pair = [4, 'x']", "pair", (4, "x")),
        ("table_or_list = [1, 2]", "table_or_list", [1, 2]),
        ("extra = {a = [1, {b = true}]}", "extra", {"a": (1, {"b": True})}),
        ("shown = 'x'", "_hidden", "x"),
        ("lower = 3\nupper = 3", "upper", 3),
    ],
)
def test_a_value_of_the_right_type_is_taken(rich, text, field, value):
    found = rich(text)
    for part in field.split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    assert found == value
    assert type(found) is type(value) or field in ("colour", "extra")


def test_every_fault_of_a_table_is_reported(rich_lines):
    found = rich_lines('count = 7\nratio = "x"\nlower = 5\nupper = 4\nretry = {attempts = 0, x = 1}\nzzz = 1')
    assert [line.split(": ")[1] for line in found] == [
        "container.count",
        "container.ratio",
        "container.upper",
        "container.retry.attempts",
        "container.retry.x",
        "container.zzz",
    ]


def test_a_validator_is_not_blamed_for_a_neighbour_that_is_missing(rich_lines):
    assert rich_lines('lower = "x"\nupper = 4') == [
        'gepa.toml:8:1: container.lower: expected an integer, got the string "x"'
    ]


@attrs.frozen
class Strange:
    """A class that says no in all the ways in which a plugin's class may."""

    doubled: int = attrs.field(
        default=1, converter=lambda value: value * 2, validator=attrs.validators.lt(10)
    )
    size: int = attrs.field(default=1)
    late: int = 1
    either: Literal[1, "one"] = 1
    made: list[int] = attrs.field(factory=list)
    path: Path = Path()
    free: JSONObject = attrs.field(factory=dict)
    raw: bytes = b""
    inner: int = attrs.field(default=0, init=False)

    @size.validator
    def _never_zero(self, _: object, value: int) -> None:
        1 / value

    def __attrs_post_init__(self) -> None:
        if self.late == 0:
            raise KeyError("late must not be zero")


@pytest.fixture(scope="module")
def strange():
    converter = strict_converter()

    def structure(table):
        try:
            return converter.structure(table, Strange)
        except Faults as found:
            return [(".".join(fault.path), fault.message) for fault in found.faults]

    return structure


@pytest.mark.parametrize(
    ("table", "faults"),
    [
        ({"doubled": 5}, [("", "'doubled' must be < 10: 10")]),
        ({"size": 0}, [("size", "division by zero")]),
        ({"late": 0}, [("", "late must not be zero")]),
        ({"either": "two"}, [("either", '"two" is not one of 1, one')]),
        ({"either": True}, [("either", "expected one of 1, one, got the boolean true")]),
        ({"path": ""}, [("path", "must be a path, not empty and without NUL")]),
        ({"path": 1}, [("path", "expected a path as a string, got the integer 1")]),
        ({"raw": "x"}, [("raw", "cannot be set in a TOML file: its type is <class 'bytes'>")]),
        ({"inner": 1}, [("inner", "unknown key 'inner'")]),
        ({"free": {"x": "\udcff"}}, [("free.x", "is not UTF-8")]),
        ([], [("", "expected a table, got an array")]),
    ],
)
def test_whatever_a_class_raises_becomes_a_fault(strange, table, faults):
    assert strange(table) == faults


def test_a_converter_of_the_class_is_applied_once(strange):
    assert strange({"doubled": 4, "either": "one"}).doubled == 8


def test_what_is_free_is_read_only(strange):
    with pytest.raises(TypeError):
        strange({"free": {"a": 1}}).free["a"] = 2
