"""What plugins may import, kinds, plugins, variables and files: told of, and there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tests.docs import surface

import gepa_framework
from gepa_framework import app
from gepa_framework.config import VARIABLES
from gepa_framework.types import Kind

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = [
    tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    for where in ("", "plugins/*/", "cookbooks/*/")
    for path in sorted(ROOT.glob(f"{where}pyproject.toml"))
]
SOURCES = [
    path for where in ("src", "plugins/*/src", "cookbooks/*/src") for path in ROOT.glob(f"{where}/**/*.py")
]
SOURCE = "".join(path.read_text(encoding="utf-8") for path in SOURCES)


def test_the_reference_of_what_may_be_imported_is_that_of_the_code(page_text):
    cure = "python -m tests.docs.surface > docs/reference/surface.md"
    assert page_text("reference/surface.md") == surface.reference(), cure


@pytest.mark.parametrize("name", [*gepa_framework.__all__, *app.__all__])
def test_every_public_name_of_the_python_interface_is_told(name, page_text):
    assert re.search(rf"`(GepaRun\.)?{name}\b", page_text("reference/python.md")), name


def test_every_kind_has_its_row(page_text, rows_of):
    rows = [row for row in rows_of(page_text("plugins/index.md"), "Writing a plugin") if "." not in row[0]]
    told = {row[0]: (row[1], row[2].partition("`")[0]) for row in rows}
    hooks = {kind: f"gepa_make_{kind}" for kind in Kind} | {Kind.EXTRA: "gepa_cli_commands"}
    assert told == {str(kind): (kind.group, hooks[kind]) for kind in Kind}


def test_every_kind_has_its_template_row(page_text, rows_of):
    told = [row[0] for row in rows_of(page_text("how-to/begin-a-plugin.md"), "Begin a plugin")]
    # A scenario is an extra, with a template of its own.
    assert sorted(told) == sorted([*Kind, "scenario"])


def test_every_plugin_that_ships_has_its_row(page_text, rows_of):
    told = {
        (row[1], row[0], _unlinked(row[2])) for row in rows_of(page_text("plugins/index.md"), "Directory")
    }
    groups = {kind.group: str(kind) for kind in Kind}
    assert told == {
        (groups[group], name, project["name"])
        for project in PROJECTS
        for group, points in project.get("entry-points", {}).items()
        for name in points
    }


@pytest.mark.parametrize("distribution", [project["name"] for project in PROJECTS[1:]])
def test_every_distribution_has_its_page(distribution):
    assert (ROOT / f"docs/plugins/{distribution}.md").is_file()


def test_every_variable_that_is_looked_at_is_told(page_text, rows_of):
    told = {row[0] for row in rows_of(page_text("reference/environment.md"), "Variables")}
    overriding = {name for variable in VARIABLES for name in (variable.name, variable.alias)}
    named = set(re.findall(r'"(GEPA_[A-Z0-9]\w*)"', SOURCE)) - overriding
    assert named <= told
    assert not [name for name in told if f'"{name}"' not in SOURCE]


def test_every_variable_that_any_page_names_is_there(all_pages):
    known = {name for variable in VARIABLES for name in (variable.name, variable.alias)}
    known |= set(re.findall(r'"(GEPA_[A-Z0-9]\w*)"', SOURCE))
    named = {
        name for page in all_pages for name in re.findall(r"\b((?:GEPA|SYNTH_OPTIMIZERS)_[A-Z0-9]\w*)", page)
    }
    assert named <= known


def test_no_file_of_a_run_is_told_that_nobody_writes(page_text, rows_of):
    tables = page_text("reference/files.md").partition("## The manifest")[0]
    names = [row[0].strip("/") for row in rows_of(tables)]
    assert "workspace.sqlite" in names
    assert not [name for name in names if re.sub(r"….\w+$", "", name) not in SOURCE]


def _unlinked(cell):
    return re.sub(r"\[(.*)\]\(.*\)", r"\1", cell)
