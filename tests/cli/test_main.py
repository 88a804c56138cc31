from __future__ import annotations

import subprocess

import click

from gepa_framework import __version__
from gepa_framework.cli.main import gepa


def test_the_version_is_told(shell) -> None:
    done = shell.run("--version")
    assert (done.exit_code, done.stdout) == (0, f"gepa-framework {__version__}\n")


def test_help_lists_every_command(shell) -> None:
    text = shell.run("--help").stdout
    for name in ("run", "resume", "check", "plugins", "init"):
        assert f"\n  {name} " in text


def test_no_command_shows_the_help(shell) -> None:
    done = shell.run()
    assert (done.exit_code, done.stdout) == (0, shell.run("--help").stdout)
    assert shell.run("plugins").stdout == shell.run("plugins", "--help").stdout


def test_an_unknown_command_is_answered_with_its_neighbour(shell) -> None:
    done = shell.run("rnu")
    assert done.exit_code == 2
    assert "No such command 'rnu'. Did you mean 'run'?" in done.stderr
    assert shell.run("plugins", "lst").stderr.count("Did you mean 'list'?") == 1


def test_an_unknown_command_without_neighbour_is_answered_with_all(shell) -> None:
    said = f"There are: {', '.join(gepa.list_commands(click.Context(gepa)))}."
    assert said in shell.run("zzzzzz").stderr


def test_an_unknown_option_is_wrong_usage_and_names_the_help(shell) -> None:
    done = shell.run("run", "--cofnig", "x")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == "next: gepa run --help"


def test_the_package_runs_as_a_module(shell) -> None:
    process = shell.popen("--version")
    out, _ = process.communicate(timeout=50)
    assert (process.returncode, out) == (0, f"gepa-framework {__version__}\n")


def test_a_reader_who_goes_away_is_no_failure(shell) -> None:
    process = shell.popen("plugins", "list", stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = "", process.stderr.read()
    assert (process.wait(timeout=50), err) == (0, "")
    process.stderr.close()


def test_stdout_that_cannot_spell_a_letter_gets_an_escape(shell) -> None:
    shell.config(**{'"first"': '"first"\noutput_dir = "läufe"'})
    process = shell.popen("check", "--config", "gepa.toml", env={"PYTHONIOENCODING": "ascii"})
    out, err = process.communicate(timeout=50)
    assert (process.returncode, err) == (0, "")
    assert "l\\xe4ufe" in out
