"""Room for the end: given up when the disk is full, so that a run can still be closed in order."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gepa_framework.errors import GepaError
from gepa_framework.workspace.database import file_errors

FILE_NAME: Final = "workspace.reserve"
#: Bytes kept: enough for the outcomes under way and for the exports of a run of ordinary size.
RESERVE_BYTES: Final = 256 * 1024


class Reserve:
    """A file of zeros beside the journal, while somebody works on the run.

    Args:
        run_dir: The run's directory.
    """

    def __init__(self, run_dir: Path) -> None:
        self.path = run_dir / FILE_NAME

    def keep(self) -> None:
        """Take the room, or what is missing of it.

        Raises:
            DiskBudgetError: There is not as much; nothing was begun.
        """
        try:
            with file_errors(self.path), self.path.open("ab") as file:
                file.write(bytes(max(0, RESERVE_BYTES - file.tell())))
        except GepaError:
            self.release()
            raise

    def release(self) -> bool:
        """Give the room up; tell whether there was any.

        Raises:
            WorkspaceError: The file cannot be removed.
        """
        with file_errors(self.path):
            try:
                self.path.unlink()
            except FileNotFoundError:
                return False
            return True

    def close(self) -> None:
        """Give the room up, if there is any; raises what `release` raises."""
        self.release()
