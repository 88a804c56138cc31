"""The reference names everything that there is, and nothing else."""

from __future__ import annotations

import inspect
import re

import attrs
import click
import pytest

from gepa_framework import app
from gepa_framework.app import GepaRun, GepaRunResult, Verification, files, workspace_status
from gepa_framework.app.exports import SEAL
from gepa_framework.app.extending import LIMITS
from gepa_framework.cli.main import gepa
from gepa_framework.hookspecs import PROJECT, extras, factories
from gepa_framework.testing import reference as contracts
from gepa_framework.types import EVENT_TYPES
from gepa_framework.workspace import INVARIANTS
from gepa_framework.workspace.schema import metadata
from gepa_framework.workspace.views import VIEWS

JSON_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "str | None": "string or null",
    "int | None": "integer or null",
    "float | None": "number or null",
    "tuple[str, ...]": "array of strings",
    "Mapping[str, str]": "object of strings",
    "Mapping[str, float]": "object of numbers",
    "Mapping[str, int]": "object of integers",
    "Mapping[str, float | None]": "object of numbers or nulls",
    "Mapping[str, JSONScalar]": "object of scalars",
    "JSONScalar": "scalar",
    "JSONObject": "object",
}
HOOKS = {
    name: hook
    for module in (factories, extras)
    for name, hook in vars(module).items()
    if hasattr(hook, f"{PROJECT}_spec")
}


def commands(command, path="gepa"):
    """Give every command by its path."""
    ctx = click.Context(command, info_name=path)
    found = {path: command}
    for name in command.list_commands(ctx) if isinstance(command, click.Group) else ():
        found |= commands(command.get_command(ctx, name), f"{path} {name}")
    return found


COMMANDS = commands(gepa)


def headings(text):
    return re.findall(r"^#{2,3} `(.*)`$", text, flags=re.MULTILINE)


def below(text, heading):
    """Give what stands below a heading that is code."""
    return re.split(r"^#", text.partition(f"# `{heading}`\n")[2], flags=re.MULTILINE)[0].strip()


def plain(text):
    """Give a text without marks of code, links and line breaks."""
    return " ".join(re.sub(r"\[([^][]*)\]\(.*?\)", r"\1", text, flags=re.DOTALL).replace("`", "").split())


def test_every_event_has_its_heading_and_no_other(page_text):
    assert headings(page_text("reference/events.md")) == list(EVENT_TYPES)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_field_of_an_event_has_its_row(name, page_text, rows_of):
    told = [row[:2] for row in rows_of(page_text("reference/events.md"), name)]
    assert told == [(field.name, JSON_TYPES[field.type]) for field in attrs.fields(EVENT_TYPES[name])]


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_event_and_its_fields_say_what_they_mean(name, page_text, rows_of):
    text = below(page_text("reference/events.md"), name)
    said = inspect.getdoc(EVENT_TYPES[name]).split("\n\n")[0]
    assert plain(text).startswith(plain(said))
    assert all(row[2].rstrip().endswith((".", ")")) for row in rows_of(text))


def test_every_hook_has_its_heading_and_signature(page_text):
    text = page_text("reference/hooks.md")
    assert headings(text) == list(HOOKS)
    for name, hook in HOOKS.items():
        assert name + str(inspect.signature(hook)).replace("'", "") in text


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_says_when_it_is_called_what_becomes_of_its_result_and_since_when(name, page_text):
    text, doc = below(page_text("reference/hooks.md"), name), inspect.getdoc(HOOKS[name])
    assert plain(text).startswith(plain(doc.split("\n\n")[0]).rstrip("."))
    for word, there in (("Called: ", "* Called: "), ("Since: ", "* Since ")):
        assert plain(there + doc.partition(f"{word}")[2].split("\n\n")[0]).rstrip(".") in plain(text)
    assert "* Result: " in text
    assert "* If it raises" in text


@pytest.mark.parametrize(
    "name", ["from_toml", "from_scenario", "resume", "verify", "check", "preflight", "execute"]
)
def test_every_argument_of_a_run_has_its_row(name, page_text, rows_of):
    parameters = list(inspect.signature(getattr(GepaRun, name)).parameters.values())
    ours = [(each.name, _default(each)) for each in parameters if each.name != "self"]
    told = [row[:2] for row in rows_of(page_text("reference/python.md"), f"GepaRun.{name}")]
    assert told == ours


def test_every_field_of_a_verification_has_its_row(page_text, rows_of):
    told = [row[0] for row in rows_of(page_text("reference/python.md"), "Verification")]
    assert told == [field.name for field in attrs.fields(Verification)]


@pytest.mark.parametrize("name", [name for name in app.__all__ if name.endswith("_events")])
def test_every_argument_of_a_function_on_events_has_its_row(name, page_text, rows_of):
    parameters = inspect.signature(getattr(app, name)).parameters.values()
    told = [row[:2] for row in rows_of(page_text("reference/python.md"), name)]
    assert [row[0] for row in told] == [each.name for each in parameters]
    for each, (_, default) in zip(parameters, told, strict=True):
        assert callable(each.default) or default == _default(each)


@pytest.mark.parametrize("name", [name for name in app.__all__ if name.startswith("Event")])
def test_every_field_of_what_they_give_has_its_row(name, page_text, rows_of):
    told = [row[0] for row in rows_of(page_text("reference/python.md"), name)]
    assert told == [field.name for field in attrs.fields(getattr(app, name))]


def test_every_key_that_may_be_raised_is_told(page_text):
    text = page_text("how-to/resume.md")
    assert not [key for key in LIMITS if f"`{key}`" not in text and f"`{key.partition('.')[2]}`" not in text]


def _default(parameter):
    return "required" if parameter.default is parameter.empty else repr(parameter.default)


def test_every_command_has_its_heading(page_text):
    assert headings(page_text("reference/cli.md")) == list(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_says_what_it_does_and_how_it_is_used(path, page_text):
    command = COMMANDS[path]
    text = page_text("reference/cli.md").partition(f"## `{path}`\n")[2].partition("\n## ")[0]
    assert plain(text).startswith(plain(inspect.cleandoc(command.help).split("\n\n")[0]))
    told = re.search(r"```text\n(.*)\n```", text)[1]
    usage = command.get_usage(click.Context(command, info_name=path)).removeprefix("Usage: ")
    # What may be left out is in brackets on the page, also where click does not say so.
    assert re.sub(r"[][]", "", told).split() == re.sub(r"[][]", "", usage).split()


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_of_a_command_has_its_row(path, page_text, rows_of):
    options = [param for param in COMMANDS[path].params if isinstance(param, click.Option)]
    told = [re.findall(r"--?[a-z-]+", row[0]) for row in rows_of(page_text("reference/cli.md"), path)]
    assert told == [option.opts for option in options]
    section = page_text("reference/cli.md").partition(f"## `{path}`\n")[2].partition("\n## ")[0]
    for option in options:
        assert option.help in section
        assert isinstance(option.type, click.Choice) <= all(
            f"`{choice}`" in section for choice in getattr(option.type, "choices", ())
        )


def test_every_artefact_has_its_row(page_text, rows_of):
    told = {row[0] for row in rows_of(page_text("reference/files.md"))}
    assert {name for name, _ in files.ARTIFACTS} | {files.MANIFEST, files.REGISTRY} <= told


def test_every_field_of_the_manifest_has_its_row(page_text, rows_of):
    told = [row[0] for row in rows_of(page_text("reference/files.md"), "The manifest")]
    fields = [field.name for field in attrs.fields(GepaRunResult)]
    assert told == ["schema", *fields, SEAL]


def test_every_file_that_a_run_leaves_is_told(finished_run, page_text):
    text = page_text("reference/files.md")
    ours = (path.name for path in finished_run.run_dir.iterdir())
    left = [name for name in ours if not name.endswith(("-journal", "-shm", "-wal"))]
    assert left
    assert not [name for name in left if f"| `{name}` |" not in text]


def columns(database, table):
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


@pytest.mark.parametrize("table", [*metadata.tables, "alembic_version", *VIEWS])
def test_every_column_of_the_workspace_has_its_row(table, workspace, page_text, rows_of):
    told = [row[0] for row in rows_of(page_text("reference/workspace.md"), table)]
    assert told == columns(workspace, table)


def test_every_table_of_the_workspace_has_its_heading(workspace, page_text):
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
    there = {name for (name,) in workspace.execute(query)}
    assert set(headings(page_text("reference/workspace.md"))) == there


def test_every_key_of_meta_is_told(workspace, page_text):
    section = page_text("reference/workspace.md").partition("### `meta`")[2].partition("| Column")[0]
    keys = [key for (key,) in workspace.execute("SELECT key FROM meta")]
    assert set(re.findall(r"`([a-z_]+)`", section)) == set(keys)


def test_every_invariant_has_its_row(page_text, rows_of):
    told = rows_of(page_text("reference/status.md"), "Invariants")
    assert told == [(each.id, each.severity.value, each.says) for each in INVARIANTS]


def test_every_key_of_a_status_has_its_row(finished_run, page_text, rows_of):
    text, status = page_text("reference/status.md"), workspace_status(finished_run.run_dir)
    assert {row[0] for row in rows_of(text, "Status")} == set(status)
    (run,) = status["runs"]
    assert {row[0] for row in rows_of(text, "A run")} == set(run)
    assert {row[0] for row in rows_of(text, "Freshness")} == set(run["projection_freshness"][0])


def test_a_query_is_understood(sql_block, workspace):
    workspace.execute(sql_block.text)


def test_the_reference_of_the_contracts_is_that_of_the_code(page_text):
    cure = "python -m gepa_framework.testing.reference > docs/reference/contracts.md"
    assert page_text("reference/contracts.md") == contracts.reference(), cure
