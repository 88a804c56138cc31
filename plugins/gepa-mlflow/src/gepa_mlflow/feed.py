"""What the directory of a run holds: its account so far, and who it is to MLflow."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

IDENTITY: Final = "listener.mlflow.id"


@attrs.define
class FeedReader:
    """Reads ``events.jsonl`` from where it left off. It is written before a listener is told.

    Attributes:
        path: The feed.
    """

    path: Path
    _offset: int = 0

    def upto(self, last: int | None) -> Iterator[dict[str, Any]]:
        """Give further events that are whole, those up to the number `last`, or all where it is ``None``.

        Where the feed is not there, or cannot be read on, there are none.
        """
        try:
            file = self.path.open("rb")
        except OSError:
            return
        with file:
            file.seek(self._offset)
            for line in file:
                try:
                    fields = json.loads(line)
                    seq = int(fields["seq"])
                except (ValueError, KeyError, TypeError):
                    return  # being written, or damaged
                if last is not None and seq > last:
                    return
                self._offset += len(line)
                yield fields


def identity(run_dir: Path) -> str:
    """Give what tells this run from any other, one of the same id in a new directory included.

    Raises:
        OSError: It can be neither read nor written.
    """
    path = run_dir / IDENTITY
    run_dir.mkdir(parents=True, exist_ok=True)
    try:
        return _read(path)
    except FileNotFoundError:
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        beside.write_text(f"{uuid.uuid4().hex}\n", encoding="ascii")
        try:
            path.hardlink_to(beside)  # the first one stays, and none is ever seen in part
        except FileExistsError:
            pass
        finally:
            beside.unlink()
        return _read(path)


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
