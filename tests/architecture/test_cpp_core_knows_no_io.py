from __future__ import annotations

import re
from pathlib import Path

import pytest

CPP = Path(__file__).parents[2] / "cpp"
SOURCES = sorted(path for folder in ("include", "src") for path in (CPP / folder).rglob("*.?pp"))
INCLUDE = re.compile(r"^\s*#\s*include\s*(\S+)", re.MULTILINE)
STANDARD = frozenset(
    [
        "algorithm",
        "array",
        "bit",
        "cmath",
        "cstddef",
        "cstdint",
        "limits",
        "map",
        "memory",
        "numeric",
        "optional",
        "set",
        "span",
        "stdexcept",
        "string",
        "string_view",
        "tuple",
        "utility",
        "vector",
    ]
)


def is_allowed(target, source):
    name = target.strip('<>"')
    if target.startswith("<"):
        return name in STANDARD
    return name.startswith("gepa/") or (source.parent / name).is_file()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(CPP).as_posix())
def test_a_core_source_includes_only_pure_parts_of_the_standard_library(source):
    targets = INCLUDE.findall(source.read_text())
    assert [target for target in targets if not is_allowed(target, source)] == []


def test_the_core_was_found():
    assert len(SOURCES) > 10


@pytest.mark.parametrize(
    "line",
    ["#include <iostream>", "# include <chrono>", "#include <Python.h>", '#include "../bindings/x.hpp"'],
)
def test_the_rule_has_teeth(line):
    (target,) = INCLUDE.findall(line)
    assert not is_allowed(target, SOURCES[0])
