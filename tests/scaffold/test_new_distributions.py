"""``gepa plugin new``: what is written, what is refused, and what is said of names that are taken."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from gepa_framework.cli.main import gepa
from gepa_framework.errors import GepaError
from gepa_framework.scaffold import named, rendered, write
from gepa_framework.types import Kind

EVERY = [
    *((kind, {}) for kind in Kind),
    (Kind.PROPOSER, {"cookbook": True}),
    (Kind.EXTRA, {"scenario": True}),
]


@pytest.fixture
def new(tmp_path, monkeypatch):
    """Give a function that runs the command in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(gepa, ["plugin", "new", *args], prog_name="gepa")


@pytest.mark.parametrize(("kind", "form"), EVERY)
def test_everything_that_is_written_can_be_read(kind, form):
    plan = named(kind, "my_new-idea", **form)
    texts = rendered(plan)
    project = tomllib.loads(texts["pyproject.toml"])
    ((entry, module),) = project["project"]["entry-points"][kind.group].items()
    assert entry == plan.entry
    assert f"src/{module.replace('.', '/')}.py" in texts
    assert project["project"]["dependencies"][1] == "gepa-framework>=0.1,<0.2"
    assert project["project"]["name"] == plan.dist
    for path, text in texts.items():
        assert text.endswith("\n") or not text, path
        assert "${" not in text.replace("${{", "") or path.endswith(".yml"), path
        if path.endswith(".py"):
            ast.parse(text)
            assert "from __future__ import annotations" in text
    assert {".gitignore", "README.md", ".github/workflows/test.yml"} <= set(texts)
    assert any(path.startswith("tests/test_") for path in texts)
    assert "${{ matrix.python }}" in texts[".github/workflows/test.yml"]


def test_a_package_is_written_whole(new, tmp_path):
    done = new("stopper", "patience")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "wrote gepa-stopper-patience, the distribution gepa-stopper-patience:"
    assert lines[-1] == "  gepa plugins show stopper:patience"
    written = {
        path.relative_to(tmp_path / "gepa-stopper-patience").as_posix()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert written == set(rendered(named(Kind.STOPPER, "patience")))
    assert [path.name for path in tmp_path.iterdir()] == ["gepa-stopper-patience"]
    assert (tmp_path / "gepa-stopper-patience").stat().st_mode & 0o055


def test_another_directory_may_be_named(new, tmp_path):
    told = json.loads(new("cache", "here", "--directory", "deep/down", "--json").stdout)
    assert (told["path"], told["distribution"], told["module"]) == (
        "deep/down",
        "gepa-cache-here",
        "gepa_cache_here",
    )
    assert all((tmp_path / "deep/down" / path).is_file() for path in told["files"])


@pytest.mark.parametrize("there", ["a directory", "a file", "a dangling link"])
def test_what_is_there_is_left_alone(new, tmp_path, there):
    path = tmp_path / "gepa-stopper-patience"
    if there == "a directory":
        path.mkdir()
    elif there == "a file":
        path.write_text("mine")
    else:
        path.symlink_to("nowhere")
    done = new("stopper", "patience")
    assert done.exit_code == 2
    assert "gepa-stopper-patience exists; --directory names another one" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["gepa-stopper-patience"]


def test_a_place_that_cannot_be_written_is_named(new, tmp_path):
    (tmp_path / "file").write_text("")
    done = new("stopper", "patience", "--directory", "file/below")
    assert done.exit_code == 2
    assert "file/below cannot be written: " in done.stderr


def test_nothing_is_left_where_writing_fails(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(GepaError, match="No space left on device"):
        write(named(Kind.STOPPER, "patience"), tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("My Idea", "did you mean 'my_idea'?"),
        ("größe", "did you mean 'gr_e'?"),
        ("7up", "did you mean 'up'?"),
        ("a__b", "did you mean 'a_b'?"),
        ("../../etc", "did you mean 'etc'?"),
        ("x" * 51, f"did you mean '{'x' * 50}'?"),
        ("日本", "at most 50 characters"),
        ("", "at most 50 characters"),
    ],
)
def test_a_name_that_cannot_be_one_is_answered_with_one_that_can(new, tmp_path, name, cure):
    done = new("stopper", name)
    assert done.exit_code == 2
    assert "is no name for a plugin" in done.stderr
    assert cure in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("stoper", "x"), "'stoper' is no kind of plugin; did you mean 'stopper'?"),
        (("stoppers", "x"), "did you mean 'stopper'?"),
        (("zzz", "x"), "there are: proposer, transport, cache"),
        (("stopper",), "Missing argument 'NAME'."),
        (("scenarios", "x"), "did you mean 'scenario'?"),
        (("scenario",), "what is the scenario to be called?"),
        (("cache", "x", "--cookbook"), "a cookbook brings a proposer, not a cache"),
        (("scenario", "x", "--cookbook"), "a cookbook brings a proposer, not a scenario"),
    ],
)
def test_a_wrong_command_line_is_answered_with_the_right_one(new, args, said):
    done = new(*args)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_name_that_is_taken_is_told(new):
    done = new("stopper", "max-iterations")
    assert done.exit_code == 0
    assert done.stderr.startswith("warning: the stopper 'max_iterations' of gepa-framework ")
    assert "select yours as 'gepa-stopper-max-iterations:max-iterations'" in done.stderr
    assert new("cache", "max_iterations").stderr == ""


def test_an_extra_that_is_called_like_a_command_is_told(new):
    told = json.loads(new("extra", "verify", "--json").stdout)
    assert told["warnings"] == [
        "gepa has a command of this name; call yours as: gepa gepa-extra-verify:verify"
    ]


def test_a_cookbook_needs_no_kind(new, tmp_path):
    assert new("--cookbook", "mailroom").exit_code == 0
    assert new("proposer", "mailroom2", "--cookbook").exit_code == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["gepa-cookbook-mailroom", "gepa-cookbook-mailroom2"]


def test_a_scenario_is_an_extra_whose_name_says_so(new, tmp_path):
    told = json.loads(new("scenario", "mailroom", "--json").stdout)
    assert (told["kind"], told["name"]) == ("extra", "scenario.mailroom")
    assert (told["distribution"], told["warnings"]) == ("gepa-scenario-mailroom", [])
    project = tomllib.loads((tmp_path / "gepa-scenario-mailroom/pyproject.toml").read_text())["project"]
    assert project["entry-points"] == {
        "gepa_framework.proposers": {"mailroom_cards": "gepa_scenario_mailroom.proposer"},
        "gepa_framework.extras": {"scenario.mailroom": "gepa_scenario_mailroom.scenario"},
    }


def test_what_to_do_with_a_scenario_is_told(new):
    lines = new("scenario", "mailroom").stdout.splitlines()
    assert lines[-2:] == [
        "  gepa plugins check extra:scenario.mailroom",
        "  gepa init --scenario mailroom --path mine.toml && gepa run --config mine.toml",
    ]


def test_a_scenario_whose_name_is_taken_is_told(new):
    done = new("scenario", "banking77")
    assert done.exit_code == 0
    assert "warning: the extra 'scenario.banking77' of gepa-cookbook-banking77 " in done.stderr
    assert "select yours as 'gepa-scenario-banking77:scenario.banking77'" in done.stderr


def test_a_scenario_may_be_called_like_a_command(new):
    assert new("scenario", "verify").stderr == ""
