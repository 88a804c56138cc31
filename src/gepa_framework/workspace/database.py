"""Opening a workspace's database: one writing connection, durable commits, a known schema."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from gepa_framework.errors import DiskBudgetError, WorkspaceError
from gepa_framework.workspace.disk import rename

#: The newest schema; kept here too so that opening a current workspace imports no SQLAlchemy.
REVISION = "0004"
#: The statements that make the newest schema, compiled from `schema.metadata`.
SCHEMA_FILE = Path(__file__).with_name("schema.sql")
#: What SQLite says where there is no room. Other messages may quote a damaged statement, whatever is in it.
_FULL = "database or disk is full"


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into errors of ours, with the file and the cure."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        if text == _FULL:
            hint = "free some space and resume the run; nothing that was recorded is lost"
            raise DiskBudgetError(f"{path}: {text}", hint=hint) from error
        raise WorkspaceError(f"{path}: {text}") from error
    except UnicodeDecodeError as error:
        # What SQLite says of a damaged definition may hold the damage itself.
        raise WorkspaceError(f"{path} is damaged: {error}", hint="restore it from a backup") from error


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn errors of the operating system into errors of ours, with the file and the cure."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            hint = "free some space and resume the run; nothing that was recorded is lost"
            raise DiskBudgetError(f"{path}: {error.strerror}", hint=hint) from error
        raise WorkspaceError(f"{path}: {error.strerror}") from error


def _connect(path: Path, mode: str = "WAL") -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        connection.execute(f"PRAGMA journal_mode={mode}")
        # NORMAL loses acknowledged commits when the power goes.
        connection.execute("PRAGMA synchronous=FULL")
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
        draft.unlink(missing_ok=True)
        # Without a log: what is still in one when it is closed on a failing disk would not be moved along.
        with closing(_connect(draft, "DELETE")) as connection:
            connection.executescript(f"BEGIN IMMEDIATE;\n{SCHEMA_FILE.read_text(encoding='utf-8')}")
            connection.execute("INSERT INTO alembic_version VALUES (?)", (REVISION,))
            connection.executemany("INSERT INTO meta VALUES (?, ?)", list(meta.items()))
            connection.execute("COMMIT")
        rename(draft, path)
        return _connect(path)


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

    Raises:
        WorkspaceError: There is none, or it cannot be read.
    """
    if not path.is_file():
        raise WorkspaceError(f"{path} does not exist", hint="name the directory of a run")
    # Nobody has it open: read as it lies there, or SQLite would leave files of its own beside it.
    still = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    with storage_errors(path):
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro{still}", uri=True, timeout=5, isolation_level=None
        )


def _revision(connection: sqlite3.Connection, path: Path) -> str:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{path} is not a workspace: {error}") from error
    if row is None:
        raise WorkspaceError(f"{path} is not a workspace: it has no schema version")
    return str(row[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the newest schema, each step of it whole or not at all.

    Raises:
        WorkspaceError: It cannot be brought there.
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
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise WorkspaceError(f"the workspace cannot be brought to schema {REVISION}: {error}") from error
