from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.durability.platter import Op, cuts
from tests.durability.recorder import Recorder
from tests.durability.states import restore

from gepa_framework.builtin.cache_file import CacheFile, Entry
from gepa_framework.errors import CacheCorruptError

pytestmark = pytest.mark.timeout(300)

_CHANCES = 4
_ENTRIES = 60
_REFUSED = "it is refused"


def entry(number: int) -> Entry:
    return Entry("gepa:r1", f"{number:064x}", f"{number} ".encode() * (900 if number % 9 == 0 else 40))


@pytest.fixture(params=["PERSIST", "WAL"])
def recorder(quick: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Recorder:
    """Watch a cache, in each of the modes that a version of SQLite asks for."""
    version = (3, 51, 3) if request.param == "WAL" else (3, 40, 1)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    (quick / "cache").mkdir()
    return Recorder(quick / "cache")


def fill(recorder: Recorder) -> None:
    with recorder.watching(), closing(CacheFile(recorder.root / "cache.sqlite", 16)) as file:
        for number in range(0, _ENTRIES, 3):
            file.put_all([entry(each) for each in range(number, number + 3)])


def fault(directory: Path) -> str:
    """Say what is wrong with a cache; empty where nothing is, though it may have lost what was put last."""
    try:
        with closing(CacheFile(directory / "cache.sqlite", 16)) as file:
            for each in map(entry, range(_ENTRIES)):
                if file.get(each.namespace, each.key) not in (None, each.value):
                    return f"a wrong value for {each.key}"
            file.put_all(list(map(entry, range(_ENTRIES))))
    except CacheCorruptError as error:
        return _REFUSED if "delete the file" in error.hint else str(error)
    return ""


def faults(log: list[Op], directory: Path) -> Iterator[str]:
    for cut in cuts(log, _CHANCES):
        restore(cut.left, directory)
        said = fault(directory)
        yield f"after operation {cut.at}, chance {cut.seed}: {said}" if said else ""


def test_a_power_cut_makes_no_wrong_answer_of_a_cache_and_hardly_ever_damages_it(
    quick: Path, recorder: Recorder
) -> None:
    fill(recorder)
    found = list(faults(recorder.log, quick / "left"))
    assert [said for said in found if said and _REFUSED not in said] == []
    assert len(found) >= 500
    assert len([said for said in found if said]) <= len(found) / 200


def test_a_cache_that_is_never_synced_is_caught(quick: Path, recorder: Recorder) -> None:
    recorder.spoil = lambda sql: sql.replace("synchronous = NORMAL", "synchronous = OFF")
    fill(recorder)
    found = list(faults(recorder.log, quick / "left"))
    assert len([said for said in found if said]) > len(found) / 200
