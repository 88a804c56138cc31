"""``gepa runs``: looking at runs, making them smaller, deleting them."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import click
import pytest

from gepa_framework.app.upkeep import REBUILT
from gepa_framework.cli.places import find_run, output_dir
from gepa_framework.workspace import WorkspaceLock


def test_the_list_has_a_row_for_each_run_the_latest_first(shell, finished) -> None:
    shell.config(**{'run_id = "first"': 'run_id = "second"', "seed = 7": "seed = 8"})
    shell.run("run", "--config", "gepa.toml", "--display", "none")
    done = shell.run("runs", "list")
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["run", "status", "best", "heldout", "rollouts", "cost", "age", "size"]
    assert [row.split()[0] for row in rows] == ["second", "first"]
    manifest = json.loads((finished / "result_manifest.json").read_text())
    score = f"{manifest['best_score']:.3f} ± {manifest['best_stderr']:.3f}"
    verdict = manifest["improvement_verdict"]["verdict"]
    pattern = rf"first +finished +{score} +{verdict} +{manifest['rollouts']} +\$0\.0000 +\d+ s +[\d.]+ kB"
    assert re.fullmatch(pattern, rows[1])


def test_no_runs_are_no_failure_and_no_directory_is_one(shell) -> None:
    Path("runs").mkdir()
    done = shell.run("runs", "list")
    assert (done.exit_code, done.stdout) == (0, "there are no runs in runs\n")
    assert shell.run("runs", "list", "elsewhere").exit_code == 5


def test_the_output_directory_of_the_configuration_is_where_runs_are(shell) -> None:
    assert output_dir() == Path("runs")
    shell.config(**{"[run]\n": '[run]\noutput_dir = "kept/here"\n'})
    assert shell.run("run", "--config", "gepa.toml", "--display", "none").exit_code == 0
    assert output_dir() == Path("kept/here")
    assert find_run("first") == Path("kept/here/first")
    assert json.loads(shell.run("runs", "list", "--json").stdout)["runs"][0]["run_id"] == "first"
    with pytest.raises(click.BadParameter, match=r"none in \./kept/here\. Did you mean 'first'"):
        find_run("frist")


def test_a_configuration_that_cannot_be_read_is_named(shell) -> None:
    (shell.path / "gepa.toml").write_text("[run\n")
    done = shell.run("runs", "list")
    assert done.exit_code == 2
    assert "gepa.toml, which names the output directory, cannot be read" in done.stderr


def test_a_run_is_shown_with_what_each_boundary_took(shell, finished) -> None:
    done = shell.run("runs", "show", "first")
    assert re.search(r"^status +finished: ", done.stdout, re.MULTILINE)
    assert re.search(r"^rollout: seed_full_train +20 +0 +\$0\.0000$", done.stdout, re.MULTILINE)
    shown = json.loads(shell.run("runs", "show", str(finished), "--json").stdout)
    calls = sum(each["calls"] for each in shown["costs"]["boundaries"] if "rollout" in each["boundary"])
    assert calls == shown["rollouts"]


def test_sizes_are_told_by_kind_and_links_are_not_followed(shell, finished, tmp_path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 10**6)
    (finished / "link").symlink_to(tmp_path / "large")
    (finished / "more").mkdir()
    (finished / "more" / "notes.txt").write_bytes(b"x" * 1000)
    told = json.loads(shell.run("runs", "du", "--json").stdout)
    (run,) = told["runs"]
    assert run["bytes"] == told["bytes"] == sum(run["kinds"].values()) < 10**6
    assert run["kinds"]["workspace"] >= (finished / "workspace.sqlite").stat().st_size
    assert run["kinds"]["event_feed"] == (finished / "events.jsonl").stat().st_size
    assert 1000 <= run["kinds"]["other"] < 2000
    assert shell.run("runs", "du").stdout.splitlines()[-1].endswith("in 1 run")


def swell(finished):
    with closing(sqlite3.connect(finished / "workspace.sqlite")) as database:
        database.execute("CREATE TABLE rubble (body)")
        database.executemany("INSERT INTO rubble VALUES (?)", [("x" * 1000,)] * 500)
        database.commit()
        database.execute("DROP TABLE rubble")
        database.commit()


def test_a_compacted_run_is_smaller_and_proves_as_before(shell, finished) -> None:
    swell(finished)
    told = json.loads(shell.run("runs", "compact", "first", "--json").stdout)
    assert told["won"] == told["before"] - told["after"] >= 400_000
    assert told["dropped"] == []
    assert shell.run("verify", "first").exit_code == 0
    again = shell.run("runs", "compact", "first")
    assert re.search(r"^first: [\d.]+ kB -> [\d.]+ kB, \d+ B won$", again.stdout, re.MULTILINE)


def test_dropped_exports_are_written_again_by_resume(shell, finished) -> None:
    before = {name: (finished / name).read_bytes() for name in REBUILT}
    done = shell.run("runs", "compact", "first", "--exports")
    assert "gepa resume runs/first writes them again" in done.stdout
    assert not [name for name in REBUILT if (finished / name).exists()]
    assert "gepa resume runs/first writes it again" in shell.run("verify", "first").stderr
    assert shell.run("show", "first").exit_code == 0
    assert shell.run("resume", "first").exit_code == 0
    assert shell.run("verify", "first").exit_code == 0
    assert {name: (finished / name).read_bytes() for name in REBUILT} == before


def test_a_run_that_is_not_over_is_not_compacted(shell, cut_off) -> None:
    cut_off("gepa.stop")
    done = shell.run("runs", "compact", "first", "--exports")
    assert done.exit_code == 5
    assert "is not over" in done.stderr
    assert Path("runs/first/events.jsonl").exists()


@pytest.mark.parametrize("command", [("compact",), ("delete", "--yes")])
def test_a_run_that_somebody_works_on_is_left_alone(shell, finished, command) -> None:
    lock = WorkspaceLock(finished)
    try:
        done = shell.run("runs", *command, "first")
    finally:
        lock.release()
    assert done.exit_code == 5
    assert "is in use by process" in done.stderr
    assert (finished / "workspace.sqlite").exists()


def test_deleting_asks_first(shell, finished) -> None:
    process = shell.popen("runs", "delete", "first", stdin=-1)
    _, err = process.communicate("n\n", timeout=50)
    assert process.returncode != 0
    assert "Delete 1 run for good?" in err
    assert finished.exists()
    process = shell.popen("runs", "delete", "first", stdin=-1)
    out, _ = process.communicate("y\n", timeout=50)
    assert process.returncode == 0
    assert out.startswith("deleted runs/first, ")
    assert not finished.exists()


def test_a_deletion_is_noted_in_the_registry(shell, finished) -> None:
    told = json.loads(shell.run("runs", "delete", "first", "--yes", "--json").stdout)
    assert [each["run_id"] for each in told["deleted"]] == ["first"]
    rows = [json.loads(line) for line in Path("runs/run_registry.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows] == ["started", "finished", "deleted"]
    assert rows[-1]["ts"].endswith("Z")
    assert list(Path("runs").iterdir()) == [Path("runs/run_registry.jsonl")]


def test_what_is_no_run_is_never_deleted_nor_anything_else_with_it(shell, finished, tmp_path) -> None:
    other = tmp_path / "precious"
    other.mkdir()
    for victim in (other, Path("runs"), shell.path):
        done = shell.run("runs", "delete", "--yes", "first", str(victim))
        assert done.exit_code == 5
        assert "is no directory of a run" in done.stderr
    assert finished.exists()
    assert other.exists()


def test_links_are_neither_deleted_as_runs_nor_followed_out_of_them(shell, finished, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(finished, elsewhere)
    Path("runs/link").symlink_to(elsewhere)
    done = shell.run("runs", "delete", "--yes", "link")
    assert done.exit_code == 5
    assert "is a link" in done.stderr
    (finished / "out").symlink_to(elsewhere)
    assert shell.run("runs", "delete", "--yes", "first").exit_code == 0
    assert (elsewhere / "workspace.sqlite").exists()
    assert "link" not in shell.run("runs", "list").stdout


def test_with_json_nobody_is_asked(shell, finished) -> None:
    done = shell.run("runs", "delete", "first", "--json")
    assert done.exit_code == 2
    assert finished.exists()


def test_a_run_that_cannot_be_read_can_be_deleted(shell, finished) -> None:
    (finished / "workspace.sqlite").write_bytes(b"no database at all, not a bit of it")
    assert shell.run("runs", "delete", "--yes", "first").exit_code == 0
    assert not finished.exists()
