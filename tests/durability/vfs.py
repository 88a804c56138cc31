"""SQLite over files that tell of everything that is done to them, behind the face of `sqlite3`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

if TYPE_CHECKING:
    from tests.durability.recorder import Recorder

_NEW_JOURNAL = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL
_PAGES = 40


class RecordingVFS(apsw.VFS):
    """Gives files that tell a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self.name = f"recording-{id(self)}"
        self._recorder = recorder
        super().__init__(self.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        known = None if path is None else self._recorder.name_of(path)
        if known is None:
            return apsw.VFSFile("", name, flags)
        self._recorder.fault("open", known)
        isnew = not Path(str(path)).exists()
        file = _File(self._recorder, known, name, flags, isnew=isnew)
        self._recorder.opened(known)
        return file

    def excepthook(self, *_: object) -> bool:
        """Say nothing of a failure on demand that SQLite does not pass on."""
        return True

    def xDelete(self, path: str, syncdir: bool) -> None:  # noqa: N802
        known = self._recorder.name_of(path)
        if known is not None:
            self._recorder.fault("delete", known)
        super().xDelete(path, False)
        if known is not None:
            self._recorder.removed(known, directory=syncdir)


class _File(apsw.VFSFile):
    def __init__(self, recorder: Recorder, known: str, name: Any, flags: list[int], *, isnew: bool) -> None:
        self._recorder = recorder
        self._known = known
        # As the file system of Unix has it: the first sync of a new journal is one of its directory too.
        self._directory = isnew and bool(flags[0] & _NEW_JOURNAL)
        super().__init__("", name, flags)

    def excepthook(self, *_: object) -> bool:
        return True

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._recorder.fault("read", self._known)
        return super().xRead(amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        self._recorder.fault("write", self._known)
        super().xWrite(data, offset)
        self._recorder.wrote(self._known, offset, bytes(data))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._recorder.fault("truncate", self._known)
        super().xTruncate(size)
        self._recorder.truncated(self._known, size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._recorder.fault("sync", self._known)
        self._recorder.synced(self._known, directory=self._directory)
        self._directory = False


class Connection:
    """As much of `sqlite3.Connection` as the product asks for."""

    def __init__(self, inner: apsw.Connection, recorder: Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    @property
    def in_transaction(self) -> bool:
        return bool(self._inner.in_transaction)

    def execute(self, sql: str, values: Iterable[Any] = ()) -> _Cursor:
        with _translated():
            return _Cursor(self._inner.execute(self._recorder.spoil(sql), tuple(values)))

    def executemany(self, sql: str, rows: Iterable[Any]) -> None:
        with _translated():
            self._inner.executemany(self._recorder.spoil(sql), rows)

    def executescript(self, sql: str) -> None:
        self.execute(sql)

    def close(self) -> None:
        # Closed it is in any case, and `sqlite3` says nothing of a disk that failed meanwhile.
        with suppress(apsw.Error):
            self._inner.close()


class _Cursor:
    def __init__(self, inner: apsw.Cursor) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with _translated():
            return next(self._inner)

    def fetchone(self) -> Any:
        return next(self, None)

    def fetchall(self) -> list[Any]:
        return list(self)


def connect(
    recorder: Recorder,
    vfs: RecordingVFS,
    path: str | Path,
    *,
    uri: bool = False,
    timeout: float = 5,
    **_: object,
) -> Connection:
    """Open a database as `sqlite3.connect` does."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | (apsw.SQLITE_OPEN_URI if uri else 0)
    with _translated():
        inner = apsw.Connection(str(path), flags=flags, vfs=vfs.name)
    inner.set_busy_timeout(round(timeout * 1000))
    # After 1,000 pages, as ever, no test would see a checkpoint.
    inner.wal_autocheckpoint(_PAGES)
    return Connection(inner, recorder)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what `sqlite3` would."""
    try:
        yield
    except apsw.Error as error:
        kind = sqlite3.DatabaseError if _plain(error) in _DAMAGED else sqlite3.OperationalError
        translated = kind(_WORDS.get(_plain(error), str(error)))
        translated.sqlite_errorcode = getattr(error, "extendedresult", _plain(error))
        raise translated from error


def _plain(error: apsw.Error) -> int:
    return int(getattr(error, "result", 1)) & 0xFF


_DAMAGED = (apsw.SQLITE_CORRUPT, apsw.SQLITE_NOTADB)
_WORDS = {apsw.SQLITE_IOERR: "disk I/O error", apsw.SQLITE_FULL: "database or disk is full"}
