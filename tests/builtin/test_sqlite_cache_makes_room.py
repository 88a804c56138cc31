from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gepa_framework.builtin.cache_file import CacheFile, Entry
from gepa_framework.builtin.cache_room import Room
from gepa_framework.errors import CacheFullError

MIB = 1024 * 1024
SIZE = 10_000
# Fills the file with its own values, many times over, while others do the same.
CHILD = """
import sys
from pathlib import Path
from gepa_framework.builtin.cache_file import CacheFile, Entry
path, who = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
for leg in range(5):
    file = CacheFile(Path(path), 1)
    for number in range(20):
        key = f"{who}/{leg}/{number}"
        file.put_all([Entry("n", key, key.encode() * 700)])
        assert file.get("n", key) in (key.encode() * 700, None), key
    file.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.sqlite"


def put(path: Path, names, *, limit: int = 1, size: int = SIZE, **options) -> None:
    """Have one run put values one by one."""
    file = CacheFile(path, limit, **options)
    try:
        for name in names:
            file.put_all([Entry("n", name, bytes(size))])
    finally:
        file.close()


def held(path: Path) -> set[str]:
    file = CacheFile(path, 1, readonly=True)
    try:
        return {entry.key for entry in file.page("n", "", 10_000)}
    finally:
        file.close()


def names(who: str, count: int) -> list[str]:
    return [f"{who}{number:03}" for number in range(count)]


def test_what_was_put_first_goes_first_and_the_file_keeps_its_size(path):
    put(path, names("old", 80))
    put(path, names("new", 60))
    left = held(path)
    assert set(names("new", 60)) <= left
    old = sorted(left - set(names("new", 60)))
    assert old == names("old", 80)[-len(old) :], "the oldest are gone"
    assert 5 < len(old) < 40
    assert path.stat().st_size <= MIB


def test_what_was_read_since_stays(path):
    put(path, names("old", 80))
    reader = CacheFile(path, 1)
    assert reader.get("n", "old003") == bytes(SIZE)
    reader.close()
    put(path, names("new", 60))
    left = held(path)
    assert "old003" in left
    assert not {"old002", "old004"} & left


def test_what_this_run_read_is_never_dropped_not_even_before_it_is_noted(path):
    put(path, names("old", 80))
    file = CacheFile(path, 1)
    for name in names("old", 5):
        assert file.get("n", name) is not None
    for name in names("new", 60):
        file.put_all([Entry("n", name, bytes(SIZE))])
        assert file.get("n", "old000") is not None
    file.close()
    assert set(names("old", 5)) | set(names("new", 60)) <= held(path)


def test_what_this_run_has_only_just_read_is_not_dropped_for_its_first_value(path):
    with pytest.raises(CacheFullError):
        put(path, names("old", 200), evict=False)
    file = CacheFile(path, 1)
    assert file.get("n", "old000") == bytes(SIZE)
    file.put_all([Entry("n", "new", bytes(20 * SIZE))])
    file.close()
    left = held(path)
    assert {"old000", "new"} <= left
    assert "old001" not in left


def test_what_this_run_put_again_counts_as_used(path):
    put(path, names("old", 80))
    put(path, ["old001", *names("new", 60)])
    left = held(path)
    assert "old001" in left
    assert "old000" not in left


def test_a_run_that_needs_more_than_there_is_keeps_all_that_it_had(path):
    put(path, names("old", 40))
    with pytest.raises(
        CacheFullError, match=r"written or read by this run or beside it; raise cache\.max_mib"
    ):
        put(path, names("new", 200))
    left = held(path)
    assert not set(names("old", 40)) & left
    assert len(left) > 80
    assert left == set(names("new", len(left)))


def test_many_small_ones_make_room_for_a_large_one(path):
    put(path, names("old", 500), size=1000)
    file = CacheFile(path, 1)
    file.put_all([Entry("n", "large", bytes(800 * 1024))])
    assert file.get("n", "large") == bytes(800 * 1024)
    file.close()
    assert path.stat().st_size <= MIB


def test_a_batch_is_kept_whole_or_not_at_all(path):
    put(path, names("old", 80))
    file = CacheFile(path, 1)
    with pytest.raises(CacheFullError):
        file.put_all([Entry("n", name, bytes(SIZE)) for name in names("new", 104)])
    file.close()
    assert not {name for name in held(path) if name.startswith("new")}


def test_what_can_never_fit_drops_nothing(path):
    put(path, names("old", 40))
    with pytest.raises(CacheFullError, match=r"may have 1 MiB, and .* bytes are to be written"):
        put(path, ["new"], size=2 * MIB)
    assert held(path) == set(names("old", 40))


def test_nothing_is_dropped_where_it_must_not_be(path):
    put(path, names("old", 80))
    before = held(path)
    with pytest.raises(CacheFullError, match="cannot grow"):
        put(path, names("new", 60), evict=False)
    assert before <= held(path)


def test_a_full_disk_is_not_taken_for_a_full_cache(path, monkeypatch):
    put(path, names("old", 80), limit=64)
    file = CacheFile(path, 64)

    def fail(*_):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(file, "_insert", fail)
    with pytest.raises(CacheFullError, match="free some disk space"):
        file.put_all([Entry("n", "new", bytes(SIZE))])
    file.close()
    assert held(path) == set(names("old", 80))


def test_one_batch_is_cleared_at_once_so_that_the_next_writes_need_not(path, monkeypatch):
    put(path, names("old", 90))
    measured = []
    of = Room.of
    monkeypatch.setattr(Room, "of", lambda connection: measured.append(1) or of(connection))
    put(path, names("new", 40))
    assert 2 <= len(measured) <= 8


def test_a_limit_below_the_size_of_the_file_lets_it_grow_no_more(path):
    put(path, names("old", 150), limit=2)
    size = path.stat().st_size
    put(path, names("new", 60), limit=1)
    assert path.stat().st_size <= size
    assert set(names("new", 60)) <= held(path)


def test_processes_that_make_room_at_once_damage_nothing(path):
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path), who],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        )
        for who in "abc"
    ]
    for child in children:
        child.stdout.readline()
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    told = [child.communicate(timeout=50)[1] for child in children]
    # A run may find that the others leave it no room; it must say so, and in no other words.
    assert all(text == "" or "CacheFullError" in text for text in told), told
    file = CacheFile(path, 1, readonly=True)
    for entry in file.page("n", "", 10_000):
        assert entry.value == entry.key.encode() * 700
    file.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    orphans = "SELECT count(*) FROM uses FULL JOIN entries USING (id) WHERE used IS NULL OR value IS NULL"
    assert connection.execute(orphans).fetchone() == (0,)
    connection.close()
    assert path.stat().st_size <= MIB
