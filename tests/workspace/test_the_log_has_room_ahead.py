from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.workspace import Journal, LogRoom

PAGE = 4096 + 24
MOST = 4000 * PAGE


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "workspace.sqlite"


@pytest.fixture
def log(database: Path) -> Path:
    return database.with_name(database.name + "-wal")


def look(room: LogRoom) -> None:
    """Have as many commits as it takes until the length is looked at."""
    for _ in range(8):
        room.committed()


def lengths(database: Path, log: Path, *written: int) -> list[int]:
    """Give the lengths of the log after commits that made it so long, where it was not longer already."""
    found = []
    log.touch()
    with closing(LogRoom(database)) as room:
        for length in written:
            os.truncate(log, max(length, log.stat().st_size))
            look(room)
            found.append(log.stat().st_size)
    return found


def test_a_short_log_is_left_alone(database, log):
    assert lengths(database, log, PAGE, 63 * PAGE) == [PAGE, 63 * PAGE]


def test_a_log_that_has_become_longer_is_made_twice_as_long(database, log):
    written = (64, 100, 128, 129, 257, 258)
    assert lengths(database, log, *(n * PAGE for n in written)) == [
        n * PAGE for n in (128, 128, 128, 258, 258, 258)
    ]


def test_a_log_is_not_made_longer_than_it_is_when_it_begins_again(database, log):
    assert lengths(database, log, 3000 * PAGE, MOST + PAGE, MOST + 2 * PAGE) == [
        MOST,
        MOST + PAGE,
        MOST + 2 * PAGE,
    ]


def test_where_space_is_short_none_is_taken(database, log, monkeypatch):
    class Found:
        f_bavail, f_frsize = 1000, 4096

    monkeypatch.setattr(os, "fstatvfs", lambda _: Found)
    assert lengths(database, log, 64 * PAGE) == [64 * PAGE]


def test_without_a_log_nothing_happens_and_one_that_comes_later_is_found(database, log):
    with closing(LogRoom(database)) as room:
        look(room)
        assert not log.exists()
        log.write_bytes(bytes(64 * PAGE))
        look(room)
        assert log.stat().st_size == 128 * PAGE


def test_another_file_under_the_name_of_the_log_is_not_touched(database, log):
    log.write_bytes(bytes(64 * PAGE))
    with closing(LogRoom(database)) as room:
        look(room)
        log.rename(log.with_name("moved"))
        log.write_bytes(bytes(200 * PAGE))
        look(room)
        assert log.stat().st_size == 200 * PAGE


def test_a_journal_killed_with_room_in_its_log_is_whole(database, log, tmp_path, make):
    left = tmp_path / "left"
    left.mkdir()
    with closing(Journal.create(SqliteStore(database), {})) as journal:
        for number in range(400):
            journal.commit([make.outcome(f"train:{number}")])
            if number % 40 == 0:
                shutil.copy(database, left / database.name)
                shutil.copy(log, left / log.name)
                with closing(Journal.open(SqliteStore(left / database.name))) as copy:
                    assert len(list(copy.load())) == number + 1
        written = log.read_bytes()
    assert len(written) > len(written.rstrip(b"\0")) + 64 * PAGE
    assert not log.exists()
