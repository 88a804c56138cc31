"""Making a directory what a power cut left of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.durability.platter import State


def restore(left: State, directory: Path) -> None:
    """Make a directory what a power cut left of it."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, content in left.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if path.suffix == ".sqlite":
            # What processes shared may be there as well, and says nothing any more.
            path.with_name(f"{path.name}-shm").write_bytes(b"\xff" * 32768)
