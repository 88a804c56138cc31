from __future__ import annotations

import json

import pytest


def test_every_value_is_shown_with_its_source(shell, monkeypatch) -> None:
    monkeypatch.setenv("GEPA_WORKERS_ROLLOUT", "3")
    done = shell.run("explain-config", "--config", "gepa.toml", "--set", "gepa.minibatch_size=2")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "minibatch_size = 2 --set" in lines
    assert "rollout = 3 GEPA_WORKERS_ROLLOUT" in lines
    assert 'mood = "well" default of the transport skills' in lines
    assert 'backend = "practice" gepa.toml:11:1' in lines or any("backend" in line for line in lines)
    assert lines.count("[gepa]") == 1


def test_only_what_is_asked_for_is_shown(shell) -> None:
    done = shell.run("explain-config", "--config", "gepa.toml", "cache.mode", "container")
    assert done.stdout.splitlines()[0] in ("[cache]", "[container]")
    assert "[gepa]" not in done.stdout
    done = shell.run("explain-config", "--config", "gepa.toml", "gepa.minibatch_sise")
    assert done.exit_code == 2
    assert "there is no 'gepa.minibatch_sise'; did you mean 'gepa.minibatch_size'?" in done.stderr


def test_it_is_told_as_json_with_what_it_overruled(shell) -> None:
    sets = ("--set", "run.run_id=a", "--set", "run.run_id=b")
    done = shell.run("explain-config", "--config", "gepa.toml", *sets, "--json", "run.run_id")
    (value,) = json.loads(done.stdout)["values"]
    assert (value["value"], value["origin"]) == ("b", "set")
    assert {"source": "--set", "value": "a"} in value["overruled"]


def test_secrets_of_the_environment_are_not_shown(shell, monkeypatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "very-secret-text")
    for url in ("very-secret-text", "http://me:hushhush@host"):
        done = shell.run(
            "explain-config", "--config", "gepa.toml", "--json", "--set", f'policy.base_url="{url}"', "policy"
        )
        assert done.exit_code == 0
        assert "secret-text" not in done.stdout
        assert "hushhush" not in done.stdout


@pytest.mark.parametrize("wrong", ["gepa.minibatch_size=0", "gepa.minibatch_sise=1"])
def test_a_configuration_that_is_wrong_is_told_as_anywhere(shell, wrong) -> None:
    done = shell.run("explain-config", "--config", "gepa.toml", "--set", wrong)
    assert done.exit_code == 3
    assert done.stderr.startswith(f"error: --set {wrong.partition('=')[0]}: ")
