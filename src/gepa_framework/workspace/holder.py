"""Who holds a workspace: written into its lock for those who find it taken."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from itertools import takewhile
from pathlib import Path
from typing import Any

import attrs

_PROC = Path("/proc")
#: Words of a command line beyond this say nothing more about who it is.
_SHOWN = 200


@attrs.frozen
class Holder:
    """A process that works on a run.

    Attributes:
        pid: Its number on its host.
        host: Its host.
        since: When it took the run on, in UTC; for people, nothing is decided by it.
        command: The command it was started with, up to the first option: what follows may be confidential.
        started: When it started, by the kernel's own reckoning; empty where that cannot be told.
    """

    pid: int
    host: str = ""
    since: str = ""
    command: str = ""
    started: str = ""

    @classmethod
    def present(cls) -> Holder:
        """Give this process."""
        pid = os.getpid()
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return cls(pid, socket.gethostname(), since, _command(), _started(pid))

    @classmethod
    def read(cls, text: str) -> Holder | None:
        """Read what `text` wrote; ``None`` where nobody can be made out."""
        try:
            found: Any = json.loads(text)
            return cls(
                int(found["pid"]), *(str(found[key]) for key in ("host", "since", "command", "started"))
            )
        except (ValueError, KeyError, TypeError):
            return cls._earlier(text)

    @classmethod
    def _earlier(cls, text: str) -> Holder | None:
        """Read what earlier versions wrote: ``process <pid>``."""
        word, _, pid = text.strip().partition(" ")
        return cls(int(pid)) if word == "process" and pid.isdigit() else None

    def text(self) -> str:
        """Give the content of a lock."""
        return json.dumps(attrs.asdict(self)) + "\n"

    @property
    def here(self) -> bool:
        """Whether it is a process of this host."""
        return self.host in ("", socket.gethostname())

    @property
    def gone(self) -> bool:
        """Whether it has ended for certain, even if another process has its number now."""
        if not self.here or not _PROC.is_dir():
            return False
        now = _started(self.pid)
        return not now or bool(self.started and now != self.started)

    def __str__(self) -> str:
        """Name it for people."""
        name = f"process {self.pid}" + (f" on {self.host}" if self.host else "")
        command = f" ({self.command})" if self.command else ""
        return name + command + (f" since {self.since}" if self.since else "")


def _command() -> str:
    program, *words = sys.argv or [""]
    path = Path(program)
    # A package that is run by `python -m` is named by its directory.
    name = path.parent.name if path.name == "__main__.py" else path.name
    plain = takewhile(lambda word: not word.startswith("-"), words)
    return " ".join([name, *plain])[:_SHOWN].strip()


def _started(pid: int) -> str:
    """Give the start of a process in ticks since a certain boot; empty where there is no such process."""
    try:
        # The name in brackets may hold anything, brackets and blanks too.
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        state, ticks = fields.split()[0], fields.split()[19]
    except (OSError, IndexError):
        return ""
    # A dead process keeps its number until its parent has heard of it.
    return "" if state in ("Z", "X") else f"{boot}/{ticks}"
