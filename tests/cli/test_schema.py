from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator


def test_the_schema_of_what_is_installed_is_the_answer(shell) -> None:
    done = shell.run("schema")
    assert done.exit_code == 0
    schema = json.loads(done.stdout)
    Draft202012Validator.check_schema(schema)
    assert "practice" in schema["properties"]["proposer"]["properties"]["backend"]["enum"]


def test_it_is_written_to_a_file_and_found_fresh(shell) -> None:
    assert shell.run("schema", "--output", "s.json").stdout == "wrote s.json\n"
    assert json.loads(Path("s.json").read_text()) == json.loads(shell.run("schema").stdout)
    assert shell.run("schema", "--output", "s.json", "--check").stdout == "s.json is fresh\n"
    told = json.loads(shell.run("schema", "--output", "s.json", "--check", "--json").stdout)
    assert (told["path"], told["fresh"]) == ("s.json", True)


@pytest.mark.parametrize("there", ["{}", None, "\udcff"])
def test_a_stale_file_is_an_error_that_gives_the_command_and_nothing_is_written(shell, there) -> None:
    if there is not None:
        Path("s.json").write_bytes(there.encode("utf-8", "surrogateescape"))
    done = shell.run("schema", "--output", "s.json", "--check", "--dist", "gf-cli-fakes", "--json")
    error = json.loads(done.stdout)["error"]
    assert done.exit_code == 1
    if there == "\udcff":
        assert "cannot be read" in error["message"]
    else:
        assert error["error_code"] == "gepa_schema_stale"
        assert error["hint"].endswith("gepa schema --output s.json --dist gf-cli-fakes")
    assert Path("s.json").exists() == (there is not None)


def test_a_check_needs_a_file(shell) -> None:
    done = shell.run("schema", "--check")
    assert done.exit_code == 2
    assert "--check needs --output FILE" in done.stderr


def test_only_the_plugins_of_some_distributions_are_in_it(shell) -> None:
    schema = json.loads(shell.run("schema", "--dist", "gf_cli_fakes").stdout)
    assert schema["properties"]["proposer"]["properties"]["backend"]["enum"] == [
        "practice",
        "gf-cli-fakes:practice",
    ]
    done = shell.run("schema", "--dist", "gf-nowhere")
    assert done.exit_code == 4
    assert "gf-nowhere: no such distribution" in done.stderr


def test_a_broken_plugin_is_left_out_and_named(shell) -> None:
    done = shell.run("schema", "--output", "s.json", "--json")
    assert done.exit_code == 0
    message = "the executor 'broken' of gf-cli-fakes 1.2 (gf_cli_broken) did not import"
    assert f"warning: left out: {message}" in done.stderr
    assert message in json.loads(done.stdout)["left_out"][0]
    assert '"broken"' not in Path("s.json").read_text()
