from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest
import tomlkit

from gepa_framework.cli.plugin_table import plugin_table
from gepa_framework.types import Kind


class Colour(enum.Enum):
    RED = "red"


@attrs.frozen
class Inner:
    depth: int = attrs.field(default=2, metadata={"help": "How deep."})


@attrs.frozen
class Whole:
    name: str = attrs.field(metadata={"help": 'What it is called;\n"quoted".'})
    ratio: float = 0.5
    on: bool = False
    colour: Colour = Colour.RED
    where: Path = Path("a/b")
    words: tuple[str, ...] = ("x", 'y"')
    limit: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=lambda: {"A b": "c"})
    inner: Inner = Inner()
    last: int = attrs.field(default=attrs.Factory(lambda self: 1, takes_self=True))
    hidden: int = attrs.field(init=False, default=3)


EXPECTED = """\
[proposer]
backend = "whole"

# What it is called;
# "quoted". Required: str.
# name =

# ratio = 0.5

# on = false

# colour = "red"

# where = "a/b"

# words = ["x", "y\\""]

# limit =

# headers = {"A b" = "c"}

# last =

# [proposer.inner]

# How deep.
# depth = 2"""


def test_every_field_has_its_help_and_its_default() -> None:
    assert plugin_table(Kind.PROPOSER, "whole", Whole) == EXPECTED


def test_what_is_uncommented_is_toml_that_gives_the_defaults() -> None:
    lines = [line.removeprefix("# ") for line in EXPECTED.splitlines()]
    kept = [line for line in lines if line.startswith("[") or (" = " in line)]
    told = tomlkit.parse("\n".join(kept)).unwrap()["proposer"]
    assert told["inner"] == {"depth": 2}
    assert (told["ratio"], told["on"], told["words"]) == (0.5, False, ["x", 'y"'])
    assert told["headers"] == {"A b": "c"}


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (Kind.TRANSPORT, '[container]\ntransport = "n"'),
        (Kind.CACHE, '[cache]\nbackend = "n"'),
        (Kind.STOPPER, '[[stoppers]]\nuse = "n"'),
        (Kind.LISTENER, '[[listeners]]\nuse = "n"'),
        (Kind.EXECUTOR, '[executor]\nuse = "n"'),
        (Kind.STORE, '[store]\nuse = "n"'),
        (Kind.EXTRA, "# Selected on the command line: gepa n"),
    ],
)
def test_the_table_is_the_one_that_selects_the_kind(kind: Kind, head: str) -> None:
    @attrs.frozen
    class Empty:
        pass

    assert plugin_table(kind, "n", Empty) == head
