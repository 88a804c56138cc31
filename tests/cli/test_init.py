from __future__ import annotations

import json

import pytest
import tomlkit


def test_init_writes_a_file_and_says_what_to_do_next(shell) -> None:
    done = shell.run("init", "--path", "new.toml")
    assert done.exit_code == 0
    assert (
        done.stdout == "wrote new.toml and gepa.schema.json; fill it in, then: gepa check --config new.toml\n"
    )
    told = tomlkit.parse((shell.path / "new.toml").read_text()).unwrap()
    assert told["container"]["transport"] == "synth_containers"
    assert told["proposer"]["backend"] == "codex_app_server"


def test_the_file_passes_the_check_of_the_plugins_that_it_names(shell) -> None:
    shell.run("init", "--force")
    done = shell.run("check", "--config", "gepa.toml")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "600 rollouts (500 for the search, 100 heldout)" in done.stdout


def test_what_is_commented_out_fits_the_rest(shell) -> None:
    """Each possibility of the file can be taken up by removing the sign in front of it."""
    shell.run("init", "--path", "new.toml")
    lines = (shell.path / "new.toml").read_text().splitlines()
    taken = [line.removeprefix("# ") if " = " in line or line.startswith("# [") else line for line in lines]
    chosen = "\n".join(line for line in taken if not line.startswith(("url =", "A line")))
    (shell.path / "taken.toml").write_text(chosen)
    told = tomlkit.parse(chosen).unwrap()
    assert told["stoppers"] == [{"use": "no_improvement", "iterations": 10}]
    done = shell.run("check", "--config", "taken.toml")
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_file_that_is_there_is_kept(shell) -> None:
    before = (shell.path / "gepa.toml").read_text()
    done = shell.run("init")
    assert done.exit_code == 2
    assert "gepa.toml exists; --force replaces it" in done.stderr
    assert (shell.path / "gepa.toml").read_text() == before


def test_force_replaces_it(shell) -> None:
    assert shell.run("init", "--force").exit_code == 0
    assert "synth_containers" in (shell.path / "gepa.toml").read_text()


def test_the_path_is_told_as_json(shell) -> None:
    told = json.loads(shell.run("init", "--path", "n.toml", "--json").stdout)
    assert (told["path"], told["schema_path"]) == ("n.toml", "gepa.schema.json")


def test_the_schema_of_the_installed_plugins_stands_beside_the_file_that_names_it(shell) -> None:
    shell.run("init", "--path", "new.toml")
    first = (shell.path / "new.toml").read_text().splitlines()[0]
    assert first == "#:schema ./gepa.schema.json"
    schema = json.loads((shell.path / "gepa.schema.json").read_text())
    assert "practice" in schema["properties"]["proposer"]["properties"]["backend"]["enum"]
    assert shell.run("schema", "--output", "gepa.schema.json", "--check").exit_code == 0


def test_a_schema_is_written_anew_and_another_file_of_its_name_is_kept(shell) -> None:
    (shell.path / "gepa.schema.json").write_text('{"title": "gepa.toml", "$defs": {}}')
    assert shell.run("init", "--path", "new.toml").exit_code == 0
    (shell.path / "gepa.schema.json").write_text("{}")
    done = shell.run("init", "--path", "other.toml")
    assert done.exit_code == 2
    assert "gepa.schema.json exists and is no schema of ours" in done.stderr
    assert not (shell.path / "other.toml").exists()


@pytest.mark.parametrize("path", ["nowhere/gepa.toml", "."])
def test_a_place_that_cannot_be_written_is_named(shell, path: str) -> None:
    done = shell.run("init", "--force", "--path", path)
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
