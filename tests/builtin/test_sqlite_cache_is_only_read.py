from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gepa_framework.builtin.cache_file import CacheFile, Entry
from gepa_framework.errors import CacheCorruptError, CacheMissError, WorkspaceError

# Gives up all rights once everything is imported, and reads.
READER = """
import os, sys
from pathlib import Path
from gepa_framework.builtin.cache_file import CacheFile
path = Path(sys.argv[1])
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
file = CacheFile(path, 1, readonly=sys.argv[2] == "readonly")
print([file.get("n", key) for key in ("k", "none")])
file.close()
try:
    (path.parent / "new").touch()
except OSError:
    print("and nothing could be written")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.sqlite"


@pytest.fixture
def locked() -> Iterator[Path]:
    """Give a cache in a directory in which nobody may write; everybody may reach it."""
    directory = Path(tempfile.mkdtemp())
    path = directory / "cache.sqlite"
    put(path, k=b"v")
    yield path
    directory.chmod(0o755)
    shutil.rmtree(directory)


def put(path: Path, **values: bytes) -> None:
    file = CacheFile(path, 1)
    file.put_all([Entry("n", key, value) for key, value in values.items()])
    file.close()


def lock(path: Path) -> None:
    for each in path.parent.iterdir():
        each.chmod(0o444)
    path.parent.chmod(0o555)


def read_elsewhere(path: Path, mode: str) -> str:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", READER, str(path), mode]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, env=environ, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("mode", ["readonly", "readwrite"])
def test_a_directory_in_which_nothing_may_be_written_is_no_obstacle_to_reading(locked, mode):
    lock(locked)
    assert read_elsewhere(locked, mode) == "[b'v', None]\nand nothing could be written\n"


def test_nor_is_it_for_a_file_of_a_sqlite_that_writes_ahead(locked):
    connection = sqlite3.connect(locked)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    lock(locked)
    assert sorted(each.name for each in locked.parent.iterdir()) == ["cache.sqlite"]
    assert read_elsewhere(locked, "readonly") == "[b'v', None]\nand nothing could be written\n"


def test_not_a_byte_is_written_and_no_use_is_noted(path):
    put(path, k=b"v")
    before, modified = path.read_bytes(), path.stat().st_mtime_ns
    beside = sorted(path.parent.iterdir())
    file = CacheFile(path, 1, readonly=True)
    assert file.get("n", "k") == b"v"
    with pytest.raises(WorkspaceError, match=r"cache\.sqlite is read-only"):
        file.put_all([Entry("n", "new", b"v")])
    file._connection.execute("PRAGMA query_only = OFF")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        file._connection.execute("DELETE FROM entries")
    file.close()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, modified)
    assert sorted(path.parent.iterdir()) == beside


def test_a_file_that_is_not_there_is_a_miss_that_names_it(path):
    for call in (
        lambda file: file.check(),
        lambda file: file.get("n", "k"),
        lambda file: file.page("n", "", 9),
    ):
        with pytest.raises(CacheMissError, match=r"there is no cache .*cache\.sqlite to read from; correct"):
            call(CacheFile(path, 1, readonly=True))
    assert not path.exists()


def test_an_empty_file_holds_nothing(path):
    path.touch()
    file = CacheFile(path, 1, readonly=True)
    assert file.get("n", "k") is None
    file.close()
    assert path.read_bytes() == b""


def test_another_may_write_meanwhile(path):
    put(path, k=b"v")
    reader, writer = CacheFile(path, 1, readonly=True), CacheFile(path, 1)
    for number in range(20):
        writer.put_all([Entry("n", str(number), bytes(1000))])
        assert reader.get("n", str(number)) == bytes(1000)
        assert reader.get("n", "k") == b"v"
    writer.close()
    reader.close()


def test_what_a_killed_writer_left_undone_is_told_and_not_put_right(path):
    put(path, k=b"v")
    child = (
        "import os, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        'connection.execute("UPDATE entries SET value = zeroblob(300000)")\n'
        'connection.execute("UPDATE uses SET used = 9")\n'
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", child, str(path)], check=False, timeout=50)
    journal = path.with_name("cache.sqlite-journal")
    before = path.read_bytes(), journal.read_bytes()
    assert any(before[1])
    file = CacheFile(path, 1, readonly=True)
    with pytest.raises(WorkspaceError, match=r"left in the middle of a write.*readwrite"):
        file.get("n", "k")
    assert (path.read_bytes(), journal.read_bytes()) == before
    mended = CacheFile(path, 1)
    assert mended.get("n", "k") == b"v"
    mended.close()
    assert file.get("n", "k") == b"v"
    file.close()


@pytest.mark.parametrize("text", [b"not a database", b"SQLite format 3\0" + b"x" * 4096])
def test_what_is_no_cache_is_refused_and_left_as_it_is(path, text):
    path.write_bytes(text)
    with pytest.raises(CacheCorruptError, match=r"cache\.sqlite is damaged"):
        CacheFile(path, 1, readonly=True).check()
    assert path.read_bytes() == text
