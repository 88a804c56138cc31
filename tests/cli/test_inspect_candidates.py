"""``gepa show``, ``gepa diff`` and ``gepa why``."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

import pytest
from rich.console import Console

from gepa_framework.app.inspect.texts import diff_components
from gepa_framework.cli.differences import coloured


@pytest.fixture
def told(shell, finished):
    return json.loads(shell.run("report", "first", "--json").stdout)


@pytest.fixture
def rejected(told):
    return next(each for each in told["candidates"] if each["status"] == "rejected")


@pytest.fixture
def best(told):
    return told["overview"]["best"]["candidate_id"]


def test_the_best_candidate_is_shown_with_its_text_and_its_way(shell, finished, best) -> None:
    done = shell.run("show", "first")
    text = json.loads((finished / "best_candidate.json").read_text())["components"]["skills"]
    assert f"\n--- skills ---\n{text}\n" in done.stdout
    lineage = done.stdout.partition("lineage, the seed first\n")[2].partition("\n\n")[0].splitlines()
    assert lineage[0].split()[1] == "#0"
    assert lineage[-1].split()[0] == best
    assert all("skills +1/-1: practise" in line for line in lineage[1:])
    assert f"{best} joined the pool: alone best on" in done.stdout


def test_candidates_are_named_by_id_beginning_or_role(shell, told, best) -> None:
    ids = [each["candidate_id"] for each in told["candidates"]]
    for name, wanted in (("seed", ids[0]), ("best", best), (ids[1], ids[1]), (ids[1][5:13], ids[1])):
        shown = json.loads(shell.run("show", "first", name, "--json").stdout)
        assert shown["candidate"]["candidate_id"] == wanted


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bst", "did you mean best?"),
        ("sed", "did you mean seed?"),
        ("gepa_", "candidates begin with 'gepa_'"),
        ("zzz", "gepa report RUN --json lists all of them"),
    ],
)
def test_a_name_that_fits_nobody_or_several_is_wrong_usage(shell, finished, name, said) -> None:
    done = shell.run("diff", "first", "seed", name)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    error = json.loads(shell.run("diff", "first", "seed", name, "--json").stdout)["error"]
    assert error["error_code"] == "gepa_candidate_not_found"


def test_an_id_that_was_mistyped_is_answered_with_its_neighbour(shell, best) -> None:
    typo = best[:-1] + ("0" if best[-1] != "0" else "1")
    assert f"did you mean {best}?" in shell.run("why", "first", typo).stderr


def test_words_that_differ_are_marked(shell, finished, told, best) -> None:
    done = shell.run("diff", "first", "seed", "best")
    assert (done.exit_code, done.stderr) == (0, "")
    before, after = done.stdout.splitlines()[-2:]
    assert re.sub(r"\[-.*?-\]", "", before)[2:] == re.sub(r"\{\+.*?\+\}", "", after)[2:]
    texts = {each["candidate_id"]: each["components"]["skills"] for each in told["candidates"]}
    assert re.sub(r"\{\+|\+\}", "", after)[2:] == texts[best]


def test_a_unified_diff_is_one_that_patch_takes(shell, finished) -> None:
    lines = shell.run("diff", "first", "seed", "best", "--unified").stdout.splitlines()
    assert lines[:2] == ["--- a/skills", "+++ b/skills"]
    assert [line[:1] for line in lines[3:]] == ["-", "+"]
    assert shell.run("diff", "first", "seed", "seed", "--unified").stdout == ""
    assert "skills: equal" in shell.run("diff", "first", "seed", "seed").stdout


def test_on_a_terminal_both_stand_side_by_side_in_colour() -> None:
    (diff,) = diff_components({"a": "keep\nold\x1b[31m word"}, {"a": "keep\nnew\x1b[31m word"})
    console = Console(force_terminal=True, width=80, record=True, file=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(coloured(diff))
    text = capture.get()
    assert "\x1b[1;31mold" in text
    assert "\x1b[1;32mnew" in text
    assert "old\x1b[31m" not in text
    assert "�[31m word" in re.sub(r"\x1b\[[\d;]*m", "", text)


def test_why_an_accepted_candidate_was_let_in(shell, told, best) -> None:
    decision = next(each for each in told["candidates"] if each["candidate_id"] == best)["decision"]
    done = shell.run("why", "first", "best")
    assert f"candidate     {best}, the best of the run" in done.stdout
    numbers = f"sum of rewards {decision['before']:g} -> {decision['after']:g}, delta {decision['delta']:g}"
    sentence = f"accepted against {decision['parent_id']} on {decision['rows']} rows by {decision['rule']}"
    assert f"{sentence}: {numbers}" in done.stdout
    assert re.search(r"^evidence +4 rows drawn, parent by pareto; \d frames", done.stdout, re.MULTILINE)
    assert "reason given  practise what was missed" in done.stdout
    assert "row by row, where child and parent differ" in done.stdout


def test_why_a_rejected_candidate_was_not(shell, rejected) -> None:
    done = shell.run("why", "first", rejected["candidate_id"])
    assert f"rejected against {rejected['decision']['parent_id']}" in done.stdout
    assert rejected["decision"]["reason"] in done.stdout
    assert "not on the frontier: it did not join the pool" in done.stdout


def test_why_a_candidate_is_on_the_frontier(shell, told) -> None:
    for each in told["candidates"]:
        why = json.loads(shell.run("why", "first", each["candidate_id"], "--json").stdout)
        assert why["frontier"].startswith("on the frontier") is each["survivor"]
        owned = [cell for cell, best in told["frontier"]["cells"].items() if best == [each["candidate_id"]]]
        assert why["candidate"]["owns"] == owned


def test_texts_of_others_cannot_steer_the_terminal(shell, finished, reworded) -> None:
    reworded("practise what was missed", "\\u001b[2J\\u202eevil")
    for arguments in (("show", "first"), ("why", "first", "best")):
        done = shell.run(*arguments)
        assert done.exit_code == 0
        assert "evil" in done.stdout
        assert not {"\x1b", "\u202e"} & set(done.stdout)


def test_a_decision_with_a_probability_tells_it(shell, finished, rejected) -> None:
    with closing(sqlite3.connect(finished / "workspace.sqlite")) as database:
        database.execute(
            "UPDATE events SET body = json_set(body, '$.p', 0.25, '$.evidence', 1.5) "
            "WHERE type = 'candidate.rejected'"
        )
        database.commit()
    assert "p 0.25, evidence 1.5" in shell.run("why", "first", rejected["candidate_id"]).stdout
