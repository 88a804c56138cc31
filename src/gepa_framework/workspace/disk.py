"""Files and names that are still there when the power comes back."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def make_directory(path: Path) -> None:
    """Make a directory, and those above it that are not there, so that a power cut cannot take them back.

    Raises:
        OSError: It cannot be made.
    """
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync_directory(path.parent)


def rename(old: Path, new: Path) -> None:
    """Give a file another name, in the place of whatever has it, so that a power cut cannot take it back.

    Raises:
        OSError: It cannot be renamed.
    """
    old.replace(new)
    sync_directory(new.parent)


def sync_directory(path: Path) -> None:
    """Bring the names in a directory to the disk.

    Raises:
        OSError: The disk does not take them.
    """
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        # So says a file system that brings names to the disk in its own way.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)
