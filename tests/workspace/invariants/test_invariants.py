from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing

import pytest
from tests.workspace.invariants.corruptions import CORRUPTIONS
from tests.workspace.invariants.simulated import write

from gepa_framework.workspace import read_database
from gepa_framework.workspace.invariants import INVARIANTS, Severity, violations

#: A run that was extended, with failed rollouts, retries, proposals that were accepted and others.
SEED = 846
IDS = [invariant.id for invariant in INVARIANTS]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "workspace.sqlite"
    write(path, SEED)
    with closing(sqlite3.connect(path)) as database:
        types = {name for (name,) in database.execute("SELECT type FROM events")}
        (attempts,) = database.execute("SELECT count(*) FROM attempts").fetchone()
        database.execute("PRAGMA journal_mode=DELETE")
    wanted = {"gepa.run.extended", "candidate.accepted", "candidate.rejected", "candidate.duplicate_skipped"}
    assert wanted | {"rollout.failed", "heldout.completed"} <= types
    assert attempts
    return path


def found(path):
    with closing(read_database(path)) as database:
        return list(violations(database))


def test_a_sound_workspace_violates_nothing(sound):
    assert found(sound) == []


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_no_run_violates_anything(first, tmp_path):
    for seed in range(first, first + 10):
        path = tmp_path / f"{seed}.sqlite"
        write(path, seed)
        assert found(path) == [], f"schedule {seed}"


def test_every_invariant_has_its_corruption():
    assert sorted(CORRUPTIONS) == sorted(IDS)
    assert len(set(IDS)) == len(IDS) >= 30


@pytest.mark.parametrize("name", IDS)
def test_a_corruption_is_reported_by_the_one_invariant(name, sound, tmp_path):
    corruption, path = CORRUPTIONS[name], tmp_path / "workspace.sqlite"
    shutil.copy(sound, path)
    with closing(sqlite3.connect(path)) as database:
        if not name.startswith("checkpoints_"):
            # They count every row: what they say of one that was changed is another invariant's.
            database.execute("DELETE FROM checkpoints")
        for statement in corruption.statements:
            assert database.execute(statement).rowcount > 0, statement
        database.commit()
    reported = found(path)
    assert {each.invariant_id for each in reported} == {name} | corruption.also
    mine = [each for each in reported if each.invariant_id == name]
    assert all(each.subject_id and each.message not in ("", "None") and each.hint for each in mine)


def test_what_is_derived_is_a_warning():
    derived = {invariant.id for invariant in INVARIANTS if invariant.severity is Severity.WARNING}
    assert derived == {name for name in IDS if name.startswith("checkpoints_")}


def test_facts_are_taken_away_again(sound):
    with closing(read_database(sound)) as database:
        assert list(violations(database)) == list(violations(database))
        assert database.execute("SELECT name FROM sqlite_temp_master").fetchall() == []


@pytest.mark.parametrize("invariant", INVARIANTS, ids=IDS)
def test_an_invariant_says_what_it_is(invariant):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", invariant.id)
    assert invariant.says.endswith(".")
    assert invariant.hint
