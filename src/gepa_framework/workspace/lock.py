"""One process at a time: a lock that the kernel lets go of when its holder dies.

What is written in the file only names the holder. Whether the lock is held the kernel alone decides, so the
name that a killed process left behind keeps nobody out.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from gepa_framework.errors import WorkspaceError, WorkspaceLockedError
from gepa_framework.workspace.database import file_errors
from gepa_framework.workspace.holder import Holder

FILE_NAME = "workspace.lock"
_ATTEMPTS = 10
_MOMENT_SECONDS = 0.01
_UNNAMED = "an unnamed process"


def holder_of(run_dir: Path) -> str:
    """Give who works on the run at this moment; empty where nobody does."""
    path = run_dir / FILE_NAME
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return str(Holder.read(file.read()) or _UNNAMED)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be read: {error.strerror}") from error
    return ""


class WorkspaceLock:
    """Held from construction until `release`.

    Args:
        run_dir: The run's directory.

    Attributes:
        deserted: Who held it before and died without letting go; ``None`` where nobody did.

    Raises:
        WorkspaceLockedError: Another live process holds it; the message names it and says what to do.
        DiskBudgetError: There is no room to write who holds it.
        WorkspaceError: The directory cannot be written.
    """

    def __init__(self, run_dir: Path) -> None:
        path = run_dir / FILE_NAME
        self._file = _acquired(path)
        try:
            with file_errors(path):
                self.deserted = Holder.read(_text(self._file))
                self._file.truncate(0)
                self._file.write(Holder.present().text())
                self._file.flush()
        except BaseException:
            _dropped(self._file)
            raise

    def release(self) -> None:
        """Let the next one in; once is enough."""
        if self._file.closed:
            return
        # A name that stays behind tells that its owner was killed, or that the disk had failed it.
        with suppress(OSError), self._file:
            self._file.truncate(0)


def _acquired(path: Path) -> IO[str]:
    # Whoever asks who the holder is has the lock for a moment, and the file may be taken away meanwhile.
    for attempt in range(_ATTEMPTS):
        file = _opened(path)
        try:
            if _locked(file, path):
                return file
            held = _text(file)
        except BaseException:
            file.close()
            raise
        file.close()
        time.sleep(_MOMENT_SECONDS if attempt + 1 < _ATTEMPTS else 0)
    raise _refusal(path, Holder.read(held))


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("a+", encoding="utf-8", errors="replace")
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be written: {error.strerror}") from error


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _locked(file: IO[str], path: Path) -> bool:
    """Take the lock; tell whether it was free, and is that of the file that others find."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise WorkspaceError(
            f"{path} cannot be locked: {error.strerror}",
            hint="keep the run's directory on a file system that knows locks",
        ) from error
    return _is_still(file, path)


def _is_still(file: IO[str], path: Path) -> bool:
    """Tell whether the file is the one that others find: a lock on another keeps nobody out."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _dropped(file: IO[str]) -> None:
    """Close a file whose last words have no room."""
    try:
        file.close()
    except OSError:
        return  # closed all the same, and what it was to say has been given up


def _refusal(path: Path, holder: Holder | None) -> WorkspaceLockedError:
    run_dir = path.parent
    if holder is None:
        return WorkspaceLockedError(
            f"{run_dir} is in use by {_UNNAMED}",
            hint=f"`fuser {path}` names it; wait until it ends, or stop it",
        )
    if holder.gone:
        return WorkspaceLockedError(
            f"{run_dir} was in use by {holder}; that is gone, but a process that came of it holds the lock",
            hint=f"`fuser {path}` names it; stop it",
        )
    stop = f"kill -INT {holder.pid}" if holder.here else f"kill -INT {holder.pid}, on {holder.host}"
    return WorkspaceLockedError(
        f"{run_dir} is in use by {holder}",
        hint=f"wait until it ends, or have it stop and resume then: {stop}",
    )
