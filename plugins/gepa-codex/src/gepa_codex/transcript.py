"""Keeps what was said in a proposal, for whoever wants to read it later."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

FOLDER: Final = "codex-transcripts"
#: No transcript grows beyond this many characters.
SIZE_LIMIT: Final = 16 * 1024 * 1024


class Transcript:
    """Takes messages and keeps none."""

    def write(self, direction: str, method: str, params: Mapping[str, Any]) -> None:
        """Take one message.

        Args:
            direction: ``sent``, ``received``, or ``note`` for our own remarks.
            method: What the message is.
            params: What it says.
        """


class FileTranscript(Transcript):
    """Keeps messages as JSON lines without secrets; deltas, which repeat what follows, are left out.

    Args:
        run_dir: The run's directory.
        proposal_id: Names the file.
        redact: Takes secrets out.
        warn: Is told when the file cannot be written; the proposal goes on without it.
    """

    def __init__(
        self, run_dir: Path, proposal_id: str, redact: Callable[[str], str], warn: Callable[[str], None]
    ) -> None:
        name = re.sub(r"[^A-Za-z0-9._-]", "_", proposal_id)[:120].lstrip(".") or "proposal"
        self._path = run_dir / FOLDER / f"{name}.jsonl"
        self._redact, self._warn = redact, warn
        self._room = SIZE_LIMIT

    def write(self, direction: str, method: str, params: Mapping[str, Any]) -> None:
        """Append one message, while there is room."""
        if method.lower().endswith("delta") or self._room <= 0:
            return
        line = self._redact(json.dumps({"direction": direction, "method": method, "params": params}))
        if len(line) > self._room:
            line = json.dumps({"direction": "note", "method": "full", "params": {"limit": SIZE_LIMIT}})
            self._room = 0
        self._room -= len(line)
        try:
            self._append(line)
        except OSError as error:
            self._room = 0
            self._warn(f"the transcript {self._path} ends here: {error.strerror}")

    def _append(self, line: str) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(line + "\n")
