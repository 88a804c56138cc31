from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gepa_framework.builtin.cache_file import CacheFile, Entry
from gepa_framework.builtin.sqlite_cache import SqliteCache, SqliteCacheConfig, gepa_make_cache
from gepa_framework.errors import CacheCorruptError, CacheFullError, WorkspaceError

# Twenty writers' worth of keys from each process, and a kill at the end where it is asked for.
CHILD = """
import os, sys
from pathlib import Path
from gepa_framework.builtin.cache_file import CacheFile, Entry
path, who, end = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
file = CacheFile(Path(path), 64)
for number in range(200):
    file.put_all([Entry("n", str(number), (who * 500 + str(number)).encode())])
if end == "kill":
    os.kill(os.getpid(), 9)
file.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.sqlite"


def filled(path: Path, count: int = 40) -> dict[str, bytes]:
    chance = random.Random(7)
    values = {f"{i:064x}": chance.randbytes(chance.randrange(1, 3000)) for i in range(count)}
    file = CacheFile(path, 64)
    file.put_all([Entry("n", key, value) for key, value in values.items()])
    file.close()
    return values


def child(path: Path, who: str, end: str = "close") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(path), who, end]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)


def run_together(children: list[subprocess.Popen[str]]) -> list[int]:
    for process in children:
        process.stdout.readline()
    for process in children:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in children:
        process.communicate(timeout=40)
    return [process.returncode for process in children]


def corrupt(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_what_was_put_is_there_after_reopening(path):
    values = filled(path)
    file = CacheFile(path, 64)
    assert {key: file.get("n", key) for key in values} == values
    file.close()


def test_processes_that_start_together_share_one_file(path):
    assert run_together([child(path, who) for who in "abc"]) == [0, 0, 0]
    file = CacheFile(path, 64)
    for number in range(200):
        assert file.get("n", str(number)) in {(who * 500 + str(number)).encode() for who in "abc"}
    file.close()


def test_a_killed_process_loses_nothing_that_it_had_put(path):
    assert run_together([child(path, "a", "kill")]) == [-9]
    file = CacheFile(path, 64)
    assert [file.get("n", str(n)) for n in range(200)] == [("a" * 500 + str(n)).encode() for n in range(200)]
    file.close()


def test_asking_alone_makes_no_file(path):
    file = CacheFile(path, 64)
    assert file.get("n", "k") is None
    assert not path.exists()
    path.touch()
    assert file.get("n", "k") is None
    assert path.stat().st_size == 0
    file.close()


def test_asking_alone_opens_for_reading_only(path):
    filled(path)
    before = path.read_bytes()
    file = CacheFile(path, 64)
    file.get("n", "k")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        file._connection.execute("DELETE FROM entries")
    file.close()
    assert path.read_bytes() == before


def test_one_that_reads_sees_what_another_puts(path):
    filled(path)
    reader, writer = CacheFile(path, 64), CacheFile(path, 64)
    assert reader.get("n", "new") is None
    writer.put_all([Entry("n", "new", b"v")])
    assert reader.get("n", "new") == b"v"
    reader.put_all([Entry("n", "newer", b"w")])
    assert writer.get("n", "newer") == b"w"
    reader.close()
    writer.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET value = value || x'00'",
        "UPDATE entries SET value = CAST(value AS TEXT) || 'é'",
        "UPDATE entries SET value = 7",
        "UPDATE entries SET digest = x''",
        "UPDATE entries SET namespace = 'm'",
        "UPDATE entries SET key = 'k2' WHERE key = 'k'",
    ],
)
def test_an_entry_that_was_changed_is_refused_by_name(path, statement):
    file = CacheFile(path, 64)
    file.put_all([Entry("n", "k", b"v")])
    file.close()
    corrupt(path, statement)
    place = ("m" if "namespace" in statement else "n", "k2" if "k2" in statement else "k")
    with pytest.raises(CacheCorruptError) as caught:
        file.get(*place)
    assert str(path) in str(caught.value)
    assert f"namespace '{place[0]}' and key '{place[1]}' (row 1)" in str(caught.value)
    file.close()


def test_a_flipped_bit_is_found_or_harmless(path, tmp_path):
    values = filled(path)
    good, chance, found = path.read_bytes(), random.Random(11), 0
    for number in range(150):
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        copy = tmp_path / f"{number}.sqlite"
        copy.write_bytes(bad)
        found += _reads_right_or_says_so(CacheFile(copy, 64), values)
    assert found > 10


def _reads_right_or_says_so(file: CacheFile, values: dict[str, bytes]) -> bool:
    try:
        got = {key: file.get("n", key) for key in values}
        file.close()
    except CacheCorruptError as error:
        return str(file.path) in str(error)
    assert all(value in (values[key], None) for key, value in got.items())
    return False


@pytest.mark.parametrize("text", [b"not a database at all, but long enough to be looked at" * 20, b"x"])
def test_a_file_that_is_no_database_is_damaged(path, text):
    path.write_bytes(text)
    for call in (lambda file: file.get("n", "k"), lambda file: file.put_all([Entry("n", "k", b"v")])):
        with pytest.raises(
            CacheCorruptError, match=r"cache\.sqlite is damaged: it is no SQLite database; delete"
        ):
            call(CacheFile(path, 64))
    assert path.read_bytes() == text


def test_a_truncated_file_is_found(path):
    values = filled(path)
    path.write_bytes(path.read_bytes()[:-20_000])
    assert _reads_right_or_says_so(CacheFile(path, 64), values)


@pytest.mark.parametrize("statement", ["CREATE TABLE theirs (a)", "PRAGMA user_version = 2"])
def test_somebody_elses_database_is_left_alone(path, statement):
    corrupt(path, statement)
    before = path.read_bytes()
    for call in (lambda file: file.get("n", "k"), lambda file: file.put_all([Entry("n", "k", b"v")])):
        with pytest.raises(CacheCorruptError, match="is a SQLite database, but no cache of format 2"):
            call(CacheFile(path, 64))
    assert path.read_bytes() == before


def test_a_cache_of_another_format_is_told_so(path):
    filled(path)
    corrupt(path, "PRAGMA user_version = 1")
    with pytest.raises(CacheCorruptError, match="of format 1, and this version reads format 2; delete"):
        CacheFile(path, 64).check()


def test_a_missing_table_is_damage(path):
    filled(path)
    corrupt(path, "DROP TABLE entries")
    file = CacheFile(path, 64)
    with pytest.raises(CacheCorruptError, match="no such table: entries"):
        file.get("n", "k")
    file.close()


def test_a_path_that_cannot_be_opened_is_an_error_of_the_environment(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="cannot be opened"):
        CacheFile(tmp_path / "file" / "cache.sqlite", 64).put_all([Entry("n", "k", b"v")])
    with pytest.raises(WorkspaceError, match=r"cannot be opened: .*Is a directory"):
        CacheFile(tmp_path, 64).put_all([Entry("n", "k", b"v")])


def test_one_that_is_held_for_too_long_says_so(path, monkeypatch):
    monkeypatch.setattr("gepa_framework.builtin.cache_database.BUSY_SECONDS", 0.05)
    filled(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(WorkspaceError, match="has been held by another process"):
        CacheFile(path, 64).put_all([Entry("n", "k", b"v")])
    holder.close()


def test_a_file_that_may_not_grow_keeps_what_was_put_before(path):
    file = CacheFile(path, 1)
    kept = []
    with pytest.raises(CacheFullError, match="cannot grow beyond 1 MiB, and all that is in it was written"):
        _fill(file, kept)
    assert len(kept) > 50
    assert all(file.get("n", key) == bytes(10_000) for key in kept)
    assert path.stat().st_size <= 1024 * 1024
    file.close()


def _fill(file: CacheFile, kept: list[str]) -> None:
    for number in range(1000):
        file.put_all([Entry("n", str(number), bytes(10_000))])
        kept.append(str(number))


class Recording(CacheFile):
    """Tells how many entries came in one transaction, and fails where it is told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, 64)
        self.batches: list[int] = []
        self.failing = False

    def put_all(self, entries):
        self.batches.append(len(entries))
        if self.failing:
            raise WorkspaceError("no luck")
        super().put_all(entries)


class Hesitant(CacheFile):
    """Writes nothing before it is told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, 64)
        self.writing, self.go = threading.Event(), threading.Event()

    def put_all(self, entries):
        self.writing.set()
        assert self.go.wait(10)
        super().put_all(entries)


def test_a_value_that_its_owner_changes_meanwhile_is_written_as_it_was(path):
    async def play() -> bytes | None:
        file, value = Hesitant(path), bytearray(b"before")
        cache = SqliteCache(file)
        put = asyncio.ensure_future(cache.put("n", "k", value))
        assert await asyncio.to_thread(file.writing.wait, 10)
        value[:] = b"after!"
        file.go.set()
        await put
        got = await cache.get("n", "k")
        await cache.close()
        return got

    assert asyncio.run(play()) == b"before"


def test_what_is_put_together_is_written_together(path):
    async def play() -> list[int]:
        file = Recording(path)
        cache = SqliteCache(file)
        await asyncio.gather(*(cache.put("n", str(i), b"v") for i in range(200)))
        await cache.close()
        return file.batches

    batches = asyncio.run(play())
    assert sum(batches) == 200
    assert len(batches) < 200


def test_everybody_hears_of_a_failed_write(path):
    async def play() -> None:
        file = Recording(path)
        file.failing = True
        cache = SqliteCache(file)
        outcomes = await asyncio.gather(
            *(cache.put("n", str(i), b"v") for i in range(20)), return_exceptions=True
        )
        assert all(isinstance(outcome, WorkspaceError) for outcome in outcomes)
        file.failing = False
        await cache.put("n", "k", b"v")
        assert await cache.get("n", "k") == b"v"
        await cache.close()

    asyncio.run(play())


def test_one_that_gives_up_does_not_take_the_others_along(path):
    async def play() -> list[object]:
        cache = SqliteCache(CacheFile(path, 64))
        puts = [asyncio.ensure_future(cache.put("n", str(i), b"v")) for i in range(3)]
        await asyncio.sleep(0)
        puts[0].cancel()
        outcomes = await asyncio.gather(*puts, return_exceptions=True)
        await cache.close()
        return outcomes

    outcomes = asyncio.run(play())
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert outcomes[1:] == [None, None]


def test_closing_writes_what_is_unwritten(path):
    async def play() -> None:
        cache = SqliteCache(CacheFile(path, 64))
        put = asyncio.ensure_future(cache.put("n", "k", b"v"))
        await asyncio.sleep(0)
        await cache.close()
        await put

    asyncio.run(play())
    assert {each.name for each in path.parent.iterdir()} - {"cache.sqlite-journal"} == {"cache.sqlite"}
    file = CacheFile(path, 64)
    assert file.get("n", "k") == b"v"
    file.close()


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (None, "runs/r1/cache.sqlite"),
        ("shared/c.sqlite", "project/shared/c.sqlite"),
        ("{tmp}/else?where#.sqlite", "else?where#.sqlite"),
    ],
)
def test_the_file_is_where_the_configuration_says(context, tmp_path, given, place):
    async def play() -> None:
        config = SqliteCacheConfig(path=given and given.format(tmp=tmp_path))
        cache = gepa_make_cache(config, context)
        assert list(tmp_path.iterdir()) == []
        await cache.put("n", "k", b"v")
        await cache.close()

    asyncio.run(play())
    files = [str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file()]
    assert [name for name in files if not name.endswith("-journal")] == [place]


def test_an_empty_path_is_refused():
    with pytest.raises(ValueError, match="'path'"):
        SqliteCacheConfig(path="")


def test_a_file_whose_writer_was_killed_is_put_right_by_the_next_reader(path):
    script = (
        "import os, signal, sys; from pathlib import Path;"
        "from gepa_framework.builtin import cache_file as c;"
        "f = c.CacheFile(Path(sys.argv[1]), 64); f.put_all([c.Entry('n', 'k', b'v')]);"
        "w = f._writer(); w.execute('PRAGMA cache_size = 1'); w.execute('BEGIN IMMEDIATE');"
        "w.executemany(c._INSERT, [('n', str(i), b'x' * 4096, b'') for i in range(200)]);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, path], check=False, timeout=30)
    assert done.returncode == -signal.SIGKILL
    file = CacheFile(path, 64)
    assert file.get("n", "k") == b"v"
    assert file.get("n", "0") is None
    file.close()
