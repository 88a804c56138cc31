"""A store that keeps a journal as lines of JSON in one file: one line, one transaction."""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import attrs

from gepa_framework.errors import WorkspaceError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import COLUMNS, BuildContext, JournalTable, Kind, PluginInfo, Row, Rows, Store


@attrs.frozen
class LinesConfig:
    """Where the file is."""

    path: Path | None = None
    dsn: str = ""
    password_env: str = ""


def _written(row: Row) -> list[Any]:
    return [{"b": base64.b64encode(each).decode()} if isinstance(each, bytes) else each for each in row]


def _read(row: list[Any]) -> list[Any]:
    return [base64.b64decode(each["b"]) if isinstance(each, dict) else each for each in row]


class LinesStore:
    """Appends and syncs; a line that a dying process left unfinished counts for nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: TextIO | None = None
        self.end = math.inf

    def location(self) -> str:
        return f"lines in {self.path}"

    def exists(self) -> bool:
        return self.path.exists()

    def create(self, meta: Mapping[str, str]) -> None:
        if self.exists():
            raise WorkspaceError(f"{self.path} exists already")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(dict(meta)) + "\n")
        draft.rename(self.path)
        self.open()

    def open(self, *, readonly: bool = False) -> None:
        if not self.exists():
            raise WorkspaceError(f"{self.path} does not exist")
        if readonly:
            self.end = self.path.stat().st_size
        else:
            whole = self.path.read_bytes()
            os.truncate(self.path, whole.rindex(b"\n") + 1)
            self.file = self.path.open("a")

    def _lines(self) -> Iterator[Any]:
        read = 0
        with self.path.open("rb") as file:
            for line in file:
                read += len(line)
                if not line.endswith(b"\n") or read > self.end:
                    return
                yield json.loads(line)

    def meta(self) -> Mapping[str, str]:
        return next(self._lines())

    def append(self, rows: Rows) -> None:
        assert self.file is not None
        line: dict[str, Any] = {
            table: [_written(row) for row in getattr(rows, table)] for table in COLUMNS
        } | {"blobs": dict(rows.blobs)}
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())

    def rows(self, table: JournalTable) -> Iterator[Row]:
        lines = self._lines()
        next(lines)
        # What one transaction adds to `attempts` is in the order of its inputs already.
        return (_read(row) for line in lines for row in line[table])

    def last(self, table: JournalTable) -> Row | None:
        found = None
        for row in self.rows(table):
            found = row
        return found

    def blob(self, sha256: str) -> str | None:
        lines = self._lines()
        next(lines)
        return next((line["blobs"][sha256] for line in lines if sha256 in line["blobs"]), None)

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None


plugin_info = PluginInfo(
    kind=Kind.STORE, name="lines", api=">=1.0,<2", config=LinesConfig, summary="Keeps a journal as lines."
)


@hookimpl
def gepa_make_store(config: LinesConfig, context: BuildContext) -> Store:
    """Build it."""
    path = context.run_dir / "journal.jsonl" if config.path is None else context.base_dir / config.path
    return LinesStore(path)
