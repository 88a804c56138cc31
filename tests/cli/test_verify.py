from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

import pytest


@pytest.fixture
def finished(shell):
    shell.run("run", "--config", "gepa.toml", "--display", "none")
    return shell.path / "runs" / "first"


def test_what_was_proved_is_told_with_its_numbers(shell, finished) -> None:
    before = sorted(path.name for path in finished.iterdir())
    done = shell.run("verify", "first")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"run +first in runs/first, finished", lines[0])
    assert re.fullmatch(r"journal +\d+ inputs, each chained to the one before", lines[1])
    assert re.fullmatch(r"events +\d+ events, each equal to the one derived", lines[2])
    assert re.fullmatch(r"of these +\d+ decisions?, \d+ rollouts", lines[3])
    assert re.fullmatch(r"requests +\d+ requests? to the proposer, each kept as it was asked", lines[4])
    assert "result_manifest.json" in lines[5]
    assert re.fullmatch(r"chain +[0-9a-f]{64}", lines[6])
    assert lines[-1] == "verified: the record is whole, and it replays to itself"
    assert sorted(path.name for path in finished.iterdir()) == before


def test_json_is_one_object(shell, finished) -> None:
    told = json.loads(shell.run("verify", "runs/first", "--json").stdout)
    manifest = json.loads((finished / "result_manifest.json").read_text())
    assert (told["schema"], told["ok"], told["status"]) == (1, True, "finished")
    assert (told["events"], told["rollouts"]) == (manifest["events"], manifest["rollouts"])
    assert told["unproved"] == []


def test_a_damaged_row_is_an_error_of_the_workspace_with_a_cure(shell, finished) -> None:
    with closing(sqlite3.connect(finished / "workspace.sqlite")) as database:
        database.execute("UPDATE events SET type = 'rumour' WHERE seq = 12")
        database.commit()
    done = shell.run("verify", "first")
    assert done.exit_code == 5
    assert "event 12 is not what was written" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("next: it was damaged or edited")
    assert done.stdout == ""
    told = json.loads(shell.run("verify", "first", "--json").stdout)
    assert told["error"]["error_code"] == "gepa_workspace_error"


def test_an_export_that_was_edited_is_an_error_of_the_workspace(shell, finished) -> None:
    path = finished / "best_candidate.json"
    path.write_text(path.read_text().replace('"score": ', '"score": 1'))
    done = shell.run("verify", "first")
    assert done.exit_code == 5
    assert re.search(r"best_candidate\.json: score is 1\d", done.stderr)
    assert done.stderr.splitlines()[-1] == "next: gepa resume runs/first writes it again"
    assert shell.run("resume", "first").exit_code == 0
    assert shell.run("verify", "first").exit_code == 0


def test_a_divergence_is_a_bug_and_leaves_its_report_elsewhere(
    shell, finished, monkeypatch, tmp_path
) -> None:
    before = sorted(path.name for path in finished.iterdir())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("gepa_framework.app.planning.config_digest", lambda _: "another")
    done = shell.run("verify", "first")
    assert done.exit_code == 70
    assert "input 1, event 1 of what follows: recorded" in done.stderr
    assert sorted(path.name for path in finished.iterdir()) == before
    assert [path.name for path in tmp_path.glob("gepa-bug-*.txt")]


def test_changed_plugins_are_refused_until_they_are_accepted(shell, finished) -> None:
    info = shell.site / "gf_cli_fakes-1.2.dist-info" / "METADATA"
    info.write_text(info.read_text().replace("1.2", "1.3"))
    assert shell.run("verify", "first").exit_code == 4
    assert shell.run("verify", "first", "--accept-changed-plugins").exit_code == 0


def test_what_is_not_proved_is_told(shell) -> None:
    shell.config(**{'transport = "skills"': 'transport = "skills"\nmood = "absent"'})
    assert shell.run("run", "--config", "gepa.toml", "--display", "none").exit_code == 5
    (shell.path / "runs" / "first" / "result_manifest.json").unlink()
    done = shell.run("verify", "first")
    assert done.exit_code == 0
    assert "not proved  the exported files: the run is not over, and there are none" in done.stdout


def test_a_run_that_is_not_there_is_wrong_usage(shell) -> None:
    assert shell.run("verify", "nothing").exit_code == 2
