from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gepa_framework.builtin.cache_file import CacheFile, Entry
from gepa_framework.builtin.cache_upkeep import Answers, prune, statistics
from gepa_framework.errors import CacheCorruptError, WorkspaceError

PLACES = [("one:container.rollout", 30), ("one:proposer.p", 2), ("two:container.rollout", 5), ("odd", 1)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cache.sqlite"
    file = CacheFile(path, 64)
    for place, count in PLACES:
        file.put_all([Entry(place, str(number), bytes(100_000)) for number in range(count)])
    file.close()
    return path


def held(path: Path) -> dict[str, int]:
    return {f"{each.namespace}:{each.boundary}": each.count for each in statistics(path).answers}


def orphans(path: Path) -> int:
    connection = sqlite3.connect(path)
    statement = "SELECT count(*) FROM uses FULL JOIN entries USING (id) WHERE used IS NULL OR value IS NULL"
    (count,) = connection.execute(statement).fetchone()
    connection.close()
    return count


def test_answers_are_counted_by_namespace_and_boundary(path):
    before = path.read_bytes()
    found = statistics(path)
    assert found.answers == (
        Answers("odd", "", 1, 100_000),
        Answers("one", "container.rollout", 30, 3_000_000),
        Answers("one", "proposer.p", 2, 200_000),
        Answers("two", "container.rollout", 5, 500_000),
    )
    assert (found.count, found.file_bytes) == (38, len(before))
    assert path.read_bytes() == before


def test_a_namespace_is_dropped_whole_and_its_room_given_back(path):
    size = path.stat().st_size
    dropped, left = prune(path, namespace="one")
    assert dropped == 32
    assert held(path) == {"odd:": 1, "two:container.rollout": 5}
    assert left.file_bytes == path.stat().st_size < size / 4
    assert orphans(path) == 0


def test_what_was_not_used_for_longest_is_dropped_first(path):
    reader = CacheFile(path, 64)
    reader.get("one:container.rollout", "7")
    reader.close()
    dropped, left = prune(path, max_mib=1)
    assert left.count == 38 - dropped == 10
    assert held(path) == {
        "odd:": 1,
        "one:container.rollout": 2,
        "one:proposer.p": 2,
        "two:container.rollout": 5,
    }
    assert orphans(path) == 0
    file = CacheFile(path, 64)
    assert file.get("one:container.rollout", "7") is not None
    file.close()


def test_what_is_small_enough_loses_nothing_and_nothing_at_all_is_left_of_zero(path):
    assert prune(path, max_mib=64)[0] == 0
    assert prune(path, namespace="on")[0] == 0
    assert prune(path, max_mib=0)[1].count == 0
    assert prune(path, max_mib=0)[0] == 0


def test_a_run_that_has_the_file_open_goes_on(path):
    file = CacheFile(path, 64)
    file.put_all([Entry("n", "k", b"v")])
    prune(path, max_mib=0)
    assert file.get("n", "k") is None
    file.put_all([Entry("n", "k", b"w")])
    assert file.get("n", "k") == b"w"
    file.close()
    assert orphans(path) == 0


def test_what_is_no_cache_is_left_alone(tmp_path):
    for call in (statistics, lambda path: prune(path, max_mib=0)):
        with pytest.raises(WorkspaceError, match=r"there is no cache .*none"):
            call(tmp_path / "none")
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"text")
    for call in (statistics, lambda path: prune(path, max_mib=0)):
        with pytest.raises(CacheCorruptError, match="is damaged"):
            call(theirs)
    assert theirs.read_bytes() == b"text"
    assert not (tmp_path / "none").exists()


def test_an_empty_file_holds_nothing(tmp_path):
    (tmp_path / "empty").touch()
    assert statistics(tmp_path / "empty").count == 0
    assert prune(tmp_path / "empty", max_mib=0)[0] == 0
