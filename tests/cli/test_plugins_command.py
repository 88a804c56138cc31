from __future__ import annotations

import json

import pytest
import tomlkit

from gepa_framework.types import Kind


def test_the_list_names_everything_installed_and_imports_none_of_it(shell) -> None:
    code = (
        "import sys; from gepa_framework.cli.main import gepa\n"
        "gepa.main(['plugins', 'list'], standalone_mode=False)\n"
        "sys.exit(any(name.startswith('gf_cli_') for name in sys.modules))"
    )
    process = shell.popen(code=code)
    out, err = process.communicate(timeout=50)
    assert (process.returncode, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["kind", "name", "distribution", "version", "state"]
    assert ["transport", "skills", "gf-cli-fakes", "1.2", "ok"] in rows
    assert ["executor", "broken", "gf-cli-fakes", "1.2", "ok"] in rows
    assert ["cache", "memory", "gepa-framework", "0.1.0", "ok"] in rows


@pytest.mark.parametrize("kind", ["executor", "executors"])
def test_the_list_can_be_narrowed_to_a_kind(shell, kind: str) -> None:
    done = shell.run("plugins", "list", "--kind", kind, "--json")
    assert [found["name"] for found in json.loads(done.stdout)["plugins"]] == ["broken"]


def test_an_unknown_kind_is_answered_with_all(shell) -> None:
    done = shell.run("plugins", "list", "--kind", "optimizer")
    assert done.exit_code == 2
    assert ", ".join(Kind) in done.stderr


def test_requirements_are_lines_for_pip(shell) -> None:
    lines = shell.run("plugins", "list", "--requirements").stdout.splitlines()
    assert "gf-cli-fakes==1.2" in lines
    assert len(lines) == len(set(lines))


def test_what_is_wrong_with_a_distribution_is_told(shell) -> None:
    path = shell.site / "gf_cli_fakes-1.2.dist-info" / "entry_points.txt"
    path.write_text(path.read_text() + "\n[gepa_framework.stopers]\nx = y\n")
    done = shell.run("plugins", "list")
    assert done.exit_code == 0
    assert "warning: gf-cli-fakes declares the unknown entry-point group" in done.stderr
    assert len(json.loads(shell.run("plugins", "list", "--json").stdout)["problems"]) == 1


def test_the_page_of_a_plugin_says_what_it_is(shell) -> None:
    text = shell.run("plugins", "show", "proposer:practice").stdout
    assert text.startswith("proposer practice: Practises.\n")
    for line in ("from          gf-cli-fakes 1.2", "api           >=1.0,<2", "capabilities  none"):
        assert f"  {line}\n" in text
    assert "hooks         gepa_make_proposer" in text


def test_the_page_ends_with_toml_to_copy(shell) -> None:
    text = shell.run("plugins", "show", "transport:skills").stdout
    table = text[text.index("[container]") :]
    assert tomlkit.parse(table).unwrap() == {"container": {"transport": "skills"}}
    assert '# well, absent, slow, failing or broken.\n# mood = "well"\n' in table
    told = json.loads(shell.run("plugins", "show", "transport:skills", "--json").stdout)
    assert told["config"] == table.rstrip("\n")
    assert told["hooks"] == ["gepa_make_transport"]


def test_a_distribution_may_be_named(shell) -> None:
    assert shell.run("plugins", "show", "proposer:gf-cli-fakes:practice").exit_code == 0


def test_a_plugin_that_is_not_installed_is_answered_with_its_neighbour(shell) -> None:
    done = shell.run("plugins", "show", "proposer:practise")
    assert done.exit_code == 4
    assert done.stderr.splitlines()[-1] == "next: did you mean 'practice'?"


def test_a_broken_plugin_is_named_with_its_distribution(shell) -> None:
    done = shell.run("plugins", "show", "executor:broken")
    assert done.exit_code == 4
    assert "the executor 'broken' of gf-cli-fakes 1.2" in done.stderr


@pytest.mark.parametrize("name", ["practice", "proposer:", ":practice", "optimizer:practice"])
def test_a_name_of_another_form_is_wrong_usage(shell, name: str) -> None:
    assert shell.run("plugins", "show", name).exit_code == 2


def test_plugins_are_checked_from_outside(shell) -> None:
    done = shell.run("plugins", "check", "practice", "broken", "skills")
    assert done.exit_code == 4
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[1] == ["proposer", "practice", "gf-cli-fakes", "1.2", "ok"]
    assert rows[2] == ["executor", "broken", "gf-cli-fakes", "1.2", "gepa_plugin_broken"]
    assert "error: the executor 'broken' of gf-cli-fakes 1.2 (gf_cli_broken) did not import: " in done.stdout
    assert done.stdout.splitlines()[-1] == "3 plugins looked at, 1 with a problem"


@pytest.mark.parametrize(
    "name",
    [
        "practice",
        "proposer:practice",
        "proposers:practice",
        "gf_cli_fakes:Practice",
        "proposer:gf-cli-fakes:practice",
    ],
)
def test_a_plugin_to_be_checked_is_named_in_any_way(shell, name: str) -> None:
    told = json.loads(shell.run("plugins", "check", name, "--json").stdout)
    (verdict,) = told["plugins"]
    assert (told["ok"], verdict["name"], verdict["ok"]) == (True, "practice", True)


@pytest.mark.parametrize("name", ["transport:practice", "gf-other:practice", "practise"])
def test_a_plugin_to_be_checked_that_there_is_not_is_answered_with_its_neighbour(shell, name: str) -> None:
    done = shell.run("plugins", "check", name)
    assert done.exit_code == 4
    assert done.stderr.startswith(f"error: no plugin called '{name}'\nnext: did you mean '")
    assert done.stdout == ""


def test_a_check_can_be_narrowed_to_a_kind(shell) -> None:
    told = json.loads(shell.run("plugins", "check", "--kind", "executor", "--json").stdout)
    assert [each["name"] for each in told["plugins"]] == ["broken"]
    assert shell.run("plugins", "check", "--kind", "executor", "practice").exit_code == 4


def test_what_is_wrong_with_a_distribution_fails_the_check_of_all(shell) -> None:
    path = shell.site / "gf_cli_fakes-1.2.dist-info" / "entry_points.txt"
    path.write_text(path.read_text() + "\n[gepa_framework.stopers]\nx = y\n")
    done = shell.run("plugins", "check", "--kind", "listener")
    assert done.exit_code == 4
    assert "error: gf-cli-fakes declares the unknown entry-point group" in done.stderr
    assert shell.run("plugins", "check", "jsonl").exit_code == 0


@pytest.mark.parametrize("seconds", ["0", "-1", "soon"])
def test_a_time_limit_is_a_time(shell, seconds: str) -> None:
    assert shell.run("plugins", "check", "--timeout", seconds).exit_code == 2
