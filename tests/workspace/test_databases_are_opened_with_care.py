from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.errors import DiskBudgetError, ExitCode, WorkspaceError
from gepa_framework.workspace import (
    Feed,
    Journal,
    WorkspaceLock,
    blob_digest,
    database,
    read_database,
    schema,
)
from gepa_framework.workspace.database import file_errors, migrate, storage_errors


def alter(path, *statements):
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def structure(connection):
    """Give what the database is made of, without the layout of its statements."""
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")
    return [(*row[:3], "" if row[0] == "table" else "".join((row[3] or "").split()).lower()) for row in rows]


@pytest.fixture
def closed(journal, path):
    journal.close()
    return path


def test_a_workspace_is_not_begun_twice(closed):
    before = closed.read_bytes()
    with pytest.raises(WorkspaceError, match="exists already"):
        Journal.create(SqliteStore(closed), {})
    assert closed.read_bytes() == before


def test_creation_leaves_no_draft_behind(closed):
    assert sorted(path.name for path in closed.parent.iterdir()) == ["workspace.sqlite"]


def test_a_draft_that_a_killed_process_left_is_no_obstacle(path):
    path.with_suffix(".new").write_bytes(b"half a database")
    path.with_suffix(".new-wal").write_bytes(b"half a log")
    Journal.create(SqliteStore(path), {"run_id": "r2"}).close()
    with closing(read_database(path)) as connection:
        assert ("run_id", "r2") in connection.execute("SELECT * FROM meta").fetchall()


@pytest.mark.parametrize("open_", [lambda path: Journal.open(SqliteStore(path)), read_database])
def test_a_workspace_that_is_not_there_is_refused_with_words(path, open_):
    with pytest.raises(WorkspaceError, match="does not exist; name the directory of a run"):
        open_(path)
    assert not path.exists()


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be read as one" * 40, b"", b"SQLite format 3\0"]
)
def test_rubbish_is_refused_with_words(path, content):
    path.write_bytes(content)
    with pytest.raises(WorkspaceError, match=str(path)):
        Journal.open(SqliteStore(path))


def test_a_database_of_somebody_else_is_refused_with_words(path):
    alter(path, "CREATE TABLE songs (name)")
    with pytest.raises(WorkspaceError, match="is not a workspace: no such table: alembic_version"):
        Journal.open(SqliteStore(path))


def test_a_database_without_a_version_is_refused_with_words(closed):
    alter(closed, "DELETE FROM alembic_version")
    with pytest.raises(WorkspaceError, match="it has no schema version"):
        Journal.open(SqliteStore(closed))


def test_a_newer_workspace_is_refused_with_the_cure(closed):
    alter(closed, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(
        WorkspaceError, match=f"has schema 9999 and this program knows {schema.REVISION}; upgrade gepa-"
    ):
        Journal.open(SqliteStore(closed))


def test_an_older_workspace_is_migrated_when_it_is_opened(path):
    """A database from before the first release: a version and nothing else."""
    alter(path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (schema.REVISION,)
        ]
    Journal.open(SqliteStore(path)).close()


def back_to_the_first_schema(path):
    with closing(sqlite3.connect(path)) as connection:
        views = connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()
    alter(
        path,
        *(f"DROP VIEW {name}" for (name,) in views),
        "DROP TABLE blobs",
        "DROP TABLE checkpoints",
        "DROP TABLE artifact_refs",
        "ALTER TABLE inputs DROP COLUMN access",
        "CREATE UNIQUE INDEX inputs_effect_id ON inputs (effect_id)",
        "CREATE VIEW evaluations AS SELECT seq FROM events",
        "UPDATE alembic_version SET version_num = '0001'",
    )


def test_a_workspace_of_the_first_schema_keeps_its_rows_and_gains_the_texts(closed, make):
    with closing(read_database(closed)) as fresh:
        wanted = structure(fresh)
    journal = Journal.open(SqliteStore(closed))
    journal.commit([make.start(), make.outcome()])
    lines = list(journal.lines())
    journal.close()
    back_to_the_first_schema(closed)
    reader = SqliteStore(closed)
    reader.open(readonly=True)
    assert len(list(reader.rows("inputs"))) == 2
    reader.close()
    again = Journal.open(SqliteStore(closed))
    assert len(list(again.load())) == 2
    assert list(again.lines()) == lines
    again.commit([attrs.evolve(make.outcome("train:1"), blobs={blob_digest("x"): "x"})])
    assert again.blob(blob_digest("x")) == "x"
    again.close()
    with closing(read_database(closed)) as migrated:
        assert structure(migrated) == wanted
        assert migrated.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.REVISION,)]


def test_a_migration_that_fails_leaves_all_as_it_was(closed):
    back_to_the_first_schema(closed)
    alter(closed, "CREATE TABLE blobs (mine)", "INSERT INTO blobs VALUES (1)")
    before = closed.read_bytes()
    with pytest.raises(WorkspaceError, match=rf"cannot be brought to schema {schema.REVISION}: .*already"):
        Journal.open(SqliteStore(closed))
    assert closed.read_bytes() == before


def test_a_migration_that_is_killed_half_way_can_be_repeated(closed):
    back_to_the_first_schema(closed)
    code = (
        "import os, signal, sqlite3, sys\n"
        "from gepa_framework.workspace.database import migrate\n"
        "link = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "def trace(said):\n"
        "    if 'UPDATE alembic' in said: os.kill(os.getpid(), signal.SIGKILL)\n"
        "link.set_trace_callback(trace)\n"
        "migrate(link)"
    )
    done = subprocess.run([sys.executable, "-c", code, closed], timeout=50, check=False)
    assert done.returncode == -signal.SIGKILL
    Journal.open(SqliteStore(closed)).close()


def test_what_a_new_workspace_is_made_of_was_compiled_from_the_schema():
    """If not: python -m gepa_framework.workspace.schema."""
    assert database.SCHEMA_FILE.read_text(encoding="utf-8") == schema.script()


def test_a_schema_that_changes_has_a_new_revision():
    """A workspace of the old text would be called damaged.

    If this fails: give `REVISION` the next number in `schema.py` and `database.py`, add a migration, and add
    the new digest to the file beside this. A digest that is there may be in somebody's workspace, and stays.
    """
    digests = json.loads(Path(__file__).with_name("schema_digests.json").read_text())
    found = hashlib.sha256(database.SCHEMA_FILE.read_bytes()).hexdigest()
    assert digests.get(database.REVISION) == found
    assert list(digests.values()).count(found) == 1
    assert max(digests) == database.REVISION


def test_a_migrated_schema_equals_a_created_one(closed, tmp_path):
    with closing(sqlite3.connect(tmp_path / "migrated.sqlite", isolation_level=None)) as migrated:
        migrate(migrated)
        with closing(read_database(closed)) as created:
            ours = {row[:3]: row[3] for row in structure(created) if row[1] != "alembic_version"}
        theirs = {row[:3]: row[3] for row in structure(migrated) if row[1] != "alembic_version"}
        assert theirs.keys() - {("index", "sqlite_autoindex_alembic_version_1", "alembic_version")} == (
            ours.keys() - {("index", "sqlite_autoindex_alembic_version_1", "alembic_version")}
        )
        assert {key: theirs[key] for key in ours} == ours
        for table in schema.metadata.tables:
            with closing(read_database(closed)) as created:
                query = f"SELECT * FROM pragma_table_info('{table}')"
                assert migrated.execute(query).fetchall() == created.execute(query).fetchall()


def test_the_revision_that_is_known_without_sqlalchemy_is_the_newest():
    assert database.REVISION == schema.REVISION


def test_beginning_and_opening_a_workspace_import_no_sqlalchemy(closed):
    code = (
        "import sys; from pathlib import Path; from gepa_framework.workspace import Journal\n"
        "from gepa_framework.builtin.sqlite_store import SqliteStore\n"
        "Journal.open(SqliteStore(Path(sys.argv[1]))).close()\n"
        "Journal.create(SqliteStore(Path(sys.argv[1] + '.other')), {}).close()\n"
        "print('sqlalchemy' in sys.modules, 'alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, closed], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_errors_of_storage_say_what_to_do(tmp_path):
    with (
        pytest.raises(DiskBudgetError, match="free some space and resume") as caught,
        storage_errors(tmp_path),
    ):
        raise sqlite3.OperationalError("database or disk is full")
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    with pytest.raises(WorkspaceError, match="disk I/O error"), storage_errors(tmp_path):
        raise sqlite3.OperationalError("disk I/O error")


def test_errors_of_files_say_what_to_do(tmp_path):
    with (
        pytest.raises(DiskBudgetError, match="No space left on device; free some space"),
        file_errors(tmp_path),
    ):
        raise OSError(28, "No space left on device")
    with pytest.raises(WorkspaceError, match="Permission denied"), file_errors(tmp_path):
        raise PermissionError(13, "Permission denied")


@pytest.fixture
def mounted(tmp_path):
    """Mount a file system of one megabyte; give it with a way to make it read-only."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_read_only_directory_is_refused_with_words(mounted):
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    with pytest.raises(WorkspaceError, match="Read-only file system"):
        WorkspaceLock(mounted)
    with pytest.raises(WorkspaceError, match=r"workspace\.new"):
        Journal.create(SqliteStore(mounted / "workspace.sqlite"), {})
    with pytest.raises(WorkspaceError, match="Read-only file system"):
        Feed(mounted)


def fill(journal, make):
    """Commit until the disk is full and give how often that went well."""
    for number in range(2000):
        try:
            journal.commit([make.outcome(f"train:{number}")])
        except DiskBudgetError as error:
            assert "full; free some space and resume the run" in str(error)  # noqa: PT017
            return number
    raise AssertionError("the disk is never full")


def test_a_full_disk_loses_nothing_and_is_got_over(mounted, make):
    journal = Journal.create(SqliteStore(mounted / "workspace.sqlite"), {})
    journal.commit([make.start()])
    ballast = mounted / "ballast"
    ballast.write_bytes(bytes(600_000))
    committed = 1 + fill(journal, make)
    assert committed > 3
    assert len(list(journal.load())) == committed
    ballast.unlink()
    journal.commit([make.outcome(f"train:{committed - 1}")])
    assert len(list(journal.load())) == committed + 1
    journal.close()
    again = Journal.open(SqliteStore(mounted / "workspace.sqlite"))
    assert len(list(again.load())) == committed + 1
    again.close()


def test_a_feed_on_a_full_disk_says_so(mounted, journal, make):
    lines = journal.commit([make.start()]) * 5000
    feed = Feed(mounted)
    with pytest.raises(DiskBudgetError, match="No space left on device"):
        feed.write(lines)
    (mounted / "events.jsonl").write_bytes(b"")
    feed.close()


def test_a_run_that_is_deleted_while_it_is_read_is_read_to_its_end(closed):
    with closing(read_database(closed)) as connection:
        rows = connection.execute("SELECT key FROM meta")
        closed.unlink()
        assert rows.fetchall()
        assert connection.execute("SELECT count(*) FROM inputs").fetchone()


def test_a_link_to_a_database_is_read_as_the_database(journal, path, make, tmp_path):
    journal.commit([make.start()])
    link = tmp_path / "elsewhere"
    link.mkdir()
    (link / "workspace.sqlite").symlink_to(path)
    with closing(read_database(link / "workspace.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM inputs").fetchone() == (1,)
