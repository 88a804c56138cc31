from __future__ import annotations

import json
import re

import pytest

LAST_LINE = re.compile(r"heldout: seed \d\.\d{3} -> best \d\.\d{3} \(n=30, stderr \d\.\d{3}\)")


def test_a_run_puts_talk_on_stderr_and_the_answer_on_stdout(shell) -> None:
    done = shell.run("run", "--config", "gepa.toml")
    assert done.exit_code == 0
    assert LAST_LINE.fullmatch(done.stdout.splitlines()[-1])
    assert "best text" in done.stdout
    talk = done.stderr.splitlines()
    assert talk[0].startswith("run first in ")
    assert talk[0].endswith("260 rollouts at most; starting container…")
    assert any("iteration 1: " in line for line in talk)
    assert not any("iteration 1: " in line for line in done.stdout.splitlines())


def test_every_place_in_the_summary_exists(shell) -> None:
    done = shell.run("run", "--config", "gepa.toml", "--display", "none")
    places = re.findall(rf"^[a-z ]+  ({re.escape(str(shell.path))}/\S+)$", done.stdout, re.MULTILINE)
    assert len(places) == 5
    for place in places:
        assert (shell.path / place).exists()


def test_json_is_one_object_on_stdout(shell) -> None:
    done = shell.run("run", "--config", "gepa.toml", "--json")
    told = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert told["schema"] == 1
    assert told["status"] == "finished"
    assert told["heldout"]["best"]["coverage"] == 30
    assert "heldout: best" in done.stderr


def test_the_display_none_says_nothing(shell) -> None:
    assert shell.run("run", "--config", "gepa.toml", "--display", "none").stderr == ""


def test_the_display_jsonl_equals_the_event_feed(shell) -> None:
    done = shell.run("run", "--config", "gepa.toml", "--display", "jsonl")
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    feed = (shell.path / "runs" / "first" / "events.jsonl").read_text().splitlines()
    assert shown == [json.loads(line) for line in feed]
    assert LAST_LINE.fullmatch(done.stderr.splitlines()[-1])


def test_with_both_the_result_follows_the_events(shell) -> None:
    done = shell.run("run", "--config", "gepa.toml", "--display", "jsonl", "--json")
    *events, result = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["type"] == "gepa.run.finished"
    assert result["schema"] == 1
    assert result["rollouts"] == events[-1]["rollouts"]


def test_warnings_of_the_configuration_come_first(shell) -> None:
    shell.config(**{"minibatch_size = 4": "minibatch_size = 4\nrollout_chunk_size = 2"})
    talk = shell.run("run", "--config", "gepa.toml").stderr.splitlines()
    assert re.match(r"warning: gepa\.toml:\d+:\d+: gepa\.rollout_chunk_size: ", talk[0])
    assert talk[1].startswith("run first in ")


def test_an_override_reaches_the_run(shell) -> None:
    done = shell.run("run", "--config", "gepa.toml", "--set", "gepa.max_generations=1", "--json")
    assert json.loads(done.stdout)["iterations"] == 1


def test_a_display_that_breaks_does_not_end_the_run(shell, monkeypatch) -> None:
    def broken(self, event):
        raise ZeroDivisionError("the display is broken")

    monkeypatch.setattr("gepa_framework.cli.display.plain.Narrator.line", broken)
    done = shell.run("run", "--config", "gepa.toml")
    assert done.exit_code == 0
    assert done.stderr.count("warning: the display failed (ZeroDivisionError: the display is broken)") == 1
    assert LAST_LINE.fullmatch(done.stdout.splitlines()[-1])


def test_a_reader_of_events_who_goes_away_does_not_end_the_run(shell) -> None:
    process = shell.popen("run", "--config", "gepa.toml", "--display", "jsonl")
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=50) == 0
    assert LAST_LINE.fullmatch(err.splitlines()[-1])
    assert (shell.path / "runs" / "first" / "result_manifest.json").is_file()


@pytest.mark.parametrize("display", ["fancy", ""])
def test_a_display_that_does_not_exist_is_wrong_usage(shell, display: str) -> None:
    assert shell.run("run", "--config", "gepa.toml", "--display", display).exit_code == 2


def test_a_run_that_is_finished_gives_its_result_and_says_so(shell) -> None:
    first = shell.run("run", "--config", "gepa.toml")
    again = shell.run("run", "--config", "gepa.toml")
    assert again.exit_code == 0
    assert again.stderr == "this run is finished already; its result:\n"
    assert again.stdout == first.stdout


def test_a_run_that_is_finished_says_so_in_json_and_gives_its_events(shell) -> None:
    first = json.loads(shell.run("run", "--config", "gepa.toml", "--json").stdout)
    again = json.loads(shell.run("run", "--config", "gepa.toml", "--json").stdout)
    assert again.pop("already_finished") is True
    assert again == first
    done = shell.run("run", "--config", "gepa.toml", "--display", "jsonl")
    feed = (shell.path / "runs" / "first" / "events.jsonl").read_text()
    shown, kept = done.stdout.splitlines(), feed.splitlines()
    assert [json.loads(line) for line in shown] == [json.loads(line) for line in kept]
    assert done.stderr.startswith("this run is finished already; its result:\n")
