"""Every page is followed to the letter."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gepa_framework.app.schema import installed_schema
from gepa_framework.config import parse_config
from gepa_framework.errors import ConfigError
from gepa_framework.plugins import Plugins

LANGUAGES = {"", "{toctree}", "console", "json", "python", "sql", "text", "toml"}
#: What a configuration needs besides the table that a page is about.
REST = {
    "container": '[container]\nurl = "http://127.0.0.1:8080"\n',
    "dataset": '[dataset]\ntrain_seeds = "0-99"\nheldout_seeds = "200-299"\n',
    "proposer": '[proposer]\nbackend = "lexical_reflector"\n',
}


def test_a_block_says_what_it_is(any_block):
    assert any_block.language in LANGUAGES
    assert any_block.marks.get("not run", "a reason").strip()


@pytest.mark.timeout(300)
def test_a_page_can_be_followed(page, followed, sandbox):
    for block in followed(page):
        sandbox.follow(block)


def whole(text):
    given = tomllib.loads(text)
    if "taskset" in given:
        given["dataset"] = given["taskset"]
    missing = [table for name, table in REST.items() if name not in given]
    return "\n".join([text, *missing])


def load(text, resolve):
    return parse_config(whole(text), file="page.toml", base_dir=Path.cwd(), resolve=resolve)


def test_a_configuration_is_accepted_or_refused_as_the_page_says(toml_block):
    file = toml_block.marks.get("file", "")
    if Path(file).name == "pyproject.toml":
        assert "project" in tomllib.loads(toml_block.text)
        return
    if file:
        return  # the page runs it
    resolve = Plugins.discover().config_class
    if message := toml_block.marks.get("invalid"):
        with pytest.raises(ConfigError, match=re.escape(message)):
            load(toml_block.text, resolve)
    else:
        load(toml_block.text, resolve)


@pytest.fixture(scope="session")
def schema():
    return Draft202012Validator(installed_schema().schema)


def test_a_configuration_that_is_right_is_taken_by_the_schema(toml_block, schema):
    if not {"file", "invalid"} & set(toml_block.marks):
        assert [error.message for error in schema.iter_errors(tomllib.loads(whole(toml_block.text)))] == []


def test_a_configuration_that_is_a_file_is_run_by_its_page(toml_block, followed):
    file = toml_block.marks.get("file", "")
    said = "".join(block.text for block in followed(toml_block.page) if block.language == "console")
    assert not file or Path(file).name in said or Path(file).name == "pyproject.toml"


def test_a_quoted_source_is_the_source(sourced_block):
    names = sourced_block.marks["source"].split()
    sources = []
    for name in names:
        module, _, attribute = name.rpartition(".")
        sources.append(inspect.getsource(getattr(importlib.import_module(module), attribute)))
    assert sourced_block.text == "\n\n".join(sources)
