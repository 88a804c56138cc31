"""The pages for those who come from elsewhere name all that was there, and nothing here that is not."""

from __future__ import annotations

import inspect
import re

import gepa
import pytest
from gepa.core.adapter import GEPAAdapter
from gepa.utils import stop_condition

import gepa_framework
from gepa_framework import GepaRunResult, app, errors
from gepa_framework.app.schema import installed_schema
from gepa_framework.cli.main import gepa as command_line

PAGES = ["coming-from/gepa.md", "coming-from/synth-optimizers.md"]
OLDER_TABLES = (
    "run",
    "container",
    "dataset",
    "candidate",
    "seed_candidate",
    "policy",
    "proposer",
    "gepa",
    "cache",
)
_TABLES = "run|container|candidate|policy|proposer|gepa|selection|acceptance|merge|cache"
#: A key of the configuration, in code, with its table.
_KEY = re.compile(rf"`((?:{_TABLES})(?:\.[a-z_]+)+)`")
_FILES = {"container.py", "gepa.toml"}


def test_every_argument_of_optimize_has_its_row(page_text, rows_of):
    told = [row[0] for row in rows_of(page_text("coming-from/gepa.md"), "Arguments of optimize")]
    assert told == list(inspect.signature(gepa.optimize).parameters)


def test_every_stopper_of_gepa_has_its_row(page_text, rows_of):
    told = {row[0] for row in rows_of(page_text("coming-from/gepa.md"), "Stoppers")}
    theirs = {name for name in vars(stop_condition) if name.endswith(("Stopper", "StopCondition"))}
    assert told == theirs


def test_every_method_of_an_adapter_is_told(page_text, rows_of):
    told = " ".join(row[0] for row in rows_of(page_text("coming-from/gepa.md"), "The adapter"))
    assert not [name for name in vars(GEPAAdapter) if not name.startswith("_") and name not in told]


def test_every_field_of_a_result_that_is_named_is_there(page_text, rows_of):
    theirs = {*vars(gepa.GEPAResult), *gepa.GEPAResult.__dataclass_fields__}
    for left, right in rows_of(page_text("coming-from/gepa.md"), "The result"):
        assert set(re.findall(r"\w+", left)) <= theirs
        ours = right.partition("`")[0]
        assert not re.fullmatch(r"\w+", ours) or hasattr(GepaRunResult, ours)


@pytest.mark.parametrize("origin", PAGES)
def test_every_key_that_is_named_is_one(origin, page_text):
    known = set(keys_of(installed_schema().schema))
    named = set(_KEY.findall(page_text(origin))) - _FILES
    assert named
    assert named <= known


def keys_of(schema):
    """Give the dotted path of every key that the schema knows, plugins' keys included."""
    definitions = schema.get("$defs", {})

    def walk(node, path):
        if "$ref" in node:
            yield from walk(definitions[node["$ref"].rpartition("/")[2]], path)
        for key, value in node.get("properties", {}).items():
            yield ".".join((*path, key))
            yield from walk(value, (*path, key))
        below = [part for word in ("allOf", "anyOf", "oneOf") for part in node.get(word, ())]
        below += [node[word] for word in ("then", "else") if isinstance(node.get(word), dict)]
        for part in below:
            yield from walk(part, path)

    return walk(schema, ())


def test_every_older_table_has_its_row(page_text, rows_of):
    text = page_text("coming-from/synth-optimizers.md").partition("| Spelling |")[0]
    assert [row[0] for row in rows_of(text, "The configuration")] == [f"[{name}]" for name in OLDER_TABLES]


def test_every_command_that_is_named_is_there(page_text, rows_of):
    for _, ours in rows_of(page_text("coming-from/synth-optimizers.md"), "Commands"):
        for words in re.findall(r"gepa ([a-z-]+(?: [a-z]+)?)", ours):
            first, *rest = words.split()
            found = command_line.get_command(None, first)
            assert found is not None, words
            assert not rest or not hasattr(found, "commands") or rest[0] in found.list_commands(None), words


def test_every_python_name_that_is_named_is_there(page_text, rows_of):
    for _, ours in rows_of(page_text("coming-from/synth-optimizers.md"), "Python"):
        for name in re.findall(r"^(\w+)[.(]|\[`(\w+)`\]", ours):
            found = "".join(name)
            assert found == "result" or hasattr(gepa_framework, found) or hasattr(app, found), found


def test_every_error_that_is_named_has_its_code(page_text, rows_of):
    rows = rows_of(page_text("coming-from/synth-optimizers.md"), "Errors")
    assert len(rows) > len(OLDER_TABLES)
    for _, ours, code in rows:
        assert getattr(errors, ours).error_code == code
