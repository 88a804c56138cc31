"""Opening a workspace's database: one writing connection, durable commits, a known schema."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from gepa_framework.errors import DiskBudgetError, WorkspaceError
from gepa_framework.workspace.disk import rename
from gepa_framework.workspace.failpoint import FAILPOINTS
from gepa_framework.workspace.log_room import PAGES
from gepa_framework.workspace.still import open_still

#: The newest schema; kept here too so that opening a current workspace imports no SQLAlchemy.
REVISION = "0006"
#: The statements that make the newest schema, compiled from `schema.metadata`.
SCHEMA_FILE = Path(__file__).with_name("schema.sql")
#: What SQLite says where there is no room. Other messages may quote a damaged statement, whatever is in it.
_FULL = "database or disk is full"
_MAKE_ROOM = "free some space and resume the run; nothing that was recorded is lost"


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into errors of ours, with the file and the cure."""
    try:
        yield
    except sqlite3.Error as error:
        if _is_full(error):
            raise DiskBudgetError(f"{path}: {error}", hint=_MAKE_ROOM) from error
        raise WorkspaceError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        # What SQLite says of a damaged definition may hold the damage itself.
        raise WorkspaceError(f"{path} is damaged: {error}", hint="restore it from a backup") from error


def _is_full(error: sqlite3.Error) -> bool:
    # The second is what SQLite says where the index of its log has no room.
    code = getattr(error, "sqlite_errorcode", 0)
    return str(error) == _FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn errors of the operating system into errors of ours, with the file and the cure."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskBudgetError(f"{path}: {error.strerror}", hint=_MAKE_ROOM) from error
        raise WorkspaceError(f"{path}: {error.strerror}") from error


def _connect(path: Path, mode: str = "WAL") -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        connection.execute(f"PRAGMA journal_mode={mode}")
        # NORMAL loses acknowledged commits when the power goes.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={PAGES}")
    except BaseException:
        connection.close()
        raise
    return connection


def create_database(path: Path, meta: Mapping[str, str]) -> sqlite3.Connection:
    """Create a workspace's database, whole or not at all, and give the one connection that may write it.

    Raises:
        WorkspaceError: There is one already, or the file cannot be written.
    """
    if path.exists():
        raise WorkspaceError(f"{path} exists already")
    draft = path.with_suffix(".new")
    with file_errors(draft), storage_errors(draft):
        _discard(draft)
        try:
            _write_draft(draft, meta)
        except BaseException:
            with suppress(OSError):
                # What went wrong first explains more; the next one begins by discarding what is left.
                _discard(draft)
            raise
        FAILPOINTS.passed("database_drafted")
        rename(draft, path)
    FAILPOINTS.passed("database_created")
    with storage_errors(path):
        return _connect(path)


def _write_draft(draft: Path, meta: Mapping[str, str]) -> None:
    # With a log beside it, that log might hold what a full disk kept out of the file, and stay behind.
    with closing(_connect(draft, "DELETE")) as connection:
        connection.executescript(f"BEGIN IMMEDIATE;\n{SCHEMA_FILE.read_text(encoding='utf-8')}")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (REVISION,))
        connection.executemany("INSERT INTO meta VALUES (?, ?)", list(meta.items()))
        FAILPOINTS.passed("amid_creation")
        connection.execute("COMMIT")


def _discard(draft: Path) -> None:
    """Remove a draft, and what SQLite would take for a part of the next one."""
    for ending in ("", "-journal", "-wal", "-shm"):
        draft.with_name(draft.name + ending).unlink(missing_ok=True)


def open_database(path: Path) -> sqlite3.Connection:
    """Open an existing workspace's database for writing, migrating it where it is older.

    Raises:
        WorkspaceError: There is none, it is not a workspace, or it is newer than this program.
    """
    if not path.is_file():
        raise WorkspaceError(f"{path} does not exist", hint="name the directory of a run")
    with storage_errors(path):
        connection = _connect(path)
        try:
            _bring_up_to_date(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    if check_revision(connection, path) < REVISION:
        migrate(connection)


def check_revision(connection: sqlite3.Connection, path: Path) -> str:
    """Give the schema of a database; an older one has all that a journal is read from.

    Raises:
        WorkspaceError: It is no workspace, or newer than this program.
    """
    found = _revision(connection, path)
    if found > REVISION:
        raise WorkspaceError(
            f"{path} has schema {found} and this program knows {REVISION}", hint="upgrade gepa-framework"
        )
    return found


def read_database(path: Path) -> sqlite3.Connection:
    """Open a workspace's database for reading only.

    One that nobody has open is read as it lies there, or SQLite would leave files of its own beside it. Where
    somebody begins to write to that, whatever is read next raises a `WorkspaceError`, and it has to be opened
    again.

    Raises:
        WorkspaceError: There is none, or it cannot be read.
    """
    if not path.is_file():
        raise WorkspaceError(f"{path} does not exist", hint="name the directory of a run")
    with file_errors(path), storage_errors(path):
        # What SQLite keeps beside a database is beside the file itself, and not beside a link to it.
        there = path.resolve()
        return open_still(there) or sqlite3.connect(
            f"{there.as_uri()}?mode=ro", uri=True, timeout=5, isolation_level=None
        )


def _revision(connection: sqlite3.Connection, path: Path) -> str:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{path} is not a workspace: {error}") from error
    if row is None:
        raise WorkspaceError(f"{path} is not a workspace: it has no schema version")
    return str(row[0])


def migrate(connection: sqlite3.Connection, revision: str = REVISION) -> None:
    """Bring a database to a newer schema, each step of it whole or not at all.

    Raises:
        WorkspaceError: It cannot be brought there.
        sqlite3.Error: There is no room for it.
    """
    # A third of a second that opening a current workspace can do without.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine, event  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "gepa_framework.workspace:migrations")
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    # The connection begins nothing by itself, and a step that was killed half-way could never be repeated.
    event.listen(engine, "begin", lambda link: link.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.connect() as link:
            config.attributes["connection"] = link
            command.upgrade(config, revision)
    except SQLAlchemyError as error:
        said = getattr(error, "orig", None)
        if isinstance(said, sqlite3.Error) and _is_full(said):
            raise said from error
        raise WorkspaceError(f"the workspace cannot be brought to schema {revision}: {error}") from error
