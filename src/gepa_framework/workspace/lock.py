"""One process at a time: a lock that the kernel lets go of when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from gepa_framework.errors import WorkspaceError, WorkspaceLockedError

_ATTEMPTS = 10
_MOMENT_SECONDS = 0.01


def holder_of(run_dir: Path) -> str:
    """Give who works on the run at this moment; empty where nobody does."""
    path = run_dir / "workspace.lock"
    try:
        with path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().strip() or "an unnamed process"
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be read: {error.strerror}") from error
    return ""


class WorkspaceLock:
    """Held from construction until `release`.

    Args:
        run_dir: The run's directory.

    Raises:
        WorkspaceLockedError: Another live process holds it; the message names it.
        WorkspaceError: The directory cannot be written.
    """

    def __init__(self, run_dir: Path) -> None:
        path = run_dir / "workspace.lock"
        try:
            self._file = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise WorkspaceError(f"{path} cannot be written: {error.strerror}") from error
        if not self._taken():
            self._file.seek(0)
            holder = self._file.read().strip() or "an unnamed process"
            self._file.close()
            raise WorkspaceLockedError(
                f"{run_dir} is in use by {holder}", hint="wait until it ends, or stop it"
            )
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()}\n")
        self._file.flush()

    def _taken(self) -> bool:
        # Whoever asks who the holder is has the lock for a moment.
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_MOMENT_SECONDS if attempt + 1 < _ATTEMPTS else 0)
            else:
                return True
        return False

    def release(self) -> None:
        """Let the next one in."""
        self._file.close()
