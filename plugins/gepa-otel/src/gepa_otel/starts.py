"""When the run and its iterations began, kept for the process that ends them: it may be another one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

FILE: Final = "otel.starts.jsonl"


class Starts:
    """Remembers when spans began, by their names.

    Args:
        directory: That of the run.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._known: dict[str, int] | None = None

    def of(self, name: str, now_ns: int) -> int:
        """Give when a span began: what is remembered, or now, which is remembered from here on.

        What cannot be kept is known to this process alone.
        """
        if self._known is None:
            self._known = _read(self._path)
        if name not in self._known:
            self._known[name] = now_ns
            self._keep(name, now_ns)
        return self._known[name]

    def forget(self, name: str) -> None:
        """Hold a span in memory no longer."""
        if self._known is not None:
            self._known.pop(name, None)

    def _keep(self, name: str, began_ns: int) -> None:
        line = json.dumps({"span": name, "began_ns": began_ns})
        try:
            with self._path.open("a", encoding="utf-8", newline="\n") as file:
                # A process may have died within the last line.
                file.write(f"\n{line}\n")
        except OSError:
            return


def _read(path: Path) -> dict[str, int]:
    known: dict[str, int] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return known
    for line in lines:
        try:
            told = json.loads(line)
            known.setdefault(str(told["span"]), int(told["began_ns"]))
        except (ValueError, TypeError, KeyError):
            continue  # it is torn
    return known
