"""Starts and ends processes, so that none is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gepa_codex.binary import INSTALL
from gepa_codex.connection import LINE_LIMIT
from gepa_codex.failures import CodexError, Verdict

_GRACE_SECONDS: Final = 2.0
_TAIL_LINES: Final = 400
_SHOWN_LINES: Final = 8
_PIPE: Final = asyncio.subprocess.PIPE


class Tail:
    """The last lines that a process complained with."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_TAIL_LINES)

    def add(self, line: str) -> None:
        """Keep a line, cut to a sane length; blank ones are not kept."""
        if line.strip():
            self._lines.append(line.rstrip()[:1000])

    async def drain(self, stream: asyncio.StreamReader) -> None:
        """Read a stream to its end in blocks, so that no line is too long for it."""
        rest = ""
        while block := await stream.read(65536):
            *lines, rest = (rest + block.decode("utf-8", "replace")).split("\n")
            for line in lines:
                self.add(line)
            rest = rest[-65536:]
        self.add(rest)

    def __str__(self) -> str:
        """Give the very last lines as one."""
        return " | ".join(list(self._lines)[-_SHOWN_LINES:])[-2000:]


Pipes = tuple[asyncio.StreamWriter, asyncio.StreamReader, asyncio.StreamReader]


async def spawn(
    command: Sequence[str], environ: Mapping[str, str], cwd: Path
) -> tuple[asyncio.subprocess.Process, Pipes]:
    """Start a process in a session of its own; give it with its stdin, stdout and stderr.

    Raises:
        CodexError: It cannot be executed; says why.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=_PIPE,
            stdout=_PIPE,
            stderr=_PIPE,
            env=dict(environ),
            cwd=cwd,
            limit=LINE_LIMIT,
            start_new_session=True,
        )
    except OSError as error:
        raise _unstartable(command[0], error) from error
    if child.stdin is None or child.stdout is None or child.stderr is None:
        raise CodexError("codex was started without pipes", Verdict.FATAL)
    return child, (child.stdin, child.stdout, child.stderr)


def _unstartable(program: str, error: OSError) -> CodexError:
    reasons = {
        errno.ENOENT: "it, or its interpreter, does not exist",
        errno.EACCES: "it is not executable",
        errno.ENOEXEC: "it is not a program for this machine's architecture",
    }
    reason = reasons.get(error.errno or 0, error.strerror or "unknown reason")
    return CodexError(f"codex cannot be started from {program}: {reason}", Verdict.FATAL, hint=INSTALL)


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a process: close its stdin, then SIGTERM, then SIGKILL for it and all below it; bounded."""
    if process.stdin is not None:
        process.stdin.close()
    if await _ended(process):
        return
    _signal(process.pid, signal.SIGTERM)
    if await _ended(process):
        return
    await kill(process)


async def kill(process: asyncio.subprocess.Process) -> None:
    """End a process, its group and all below it at once."""
    below = descendants(process.pid) if process.returncode is None else []
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    for pid in below:
        _signal(pid, signal.SIGKILL)
    await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_SECONDS):
            await process.wait()
    return process.returncode is not None


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def descendants(pid: int) -> list[int]:
    """Give the ids of all processes below one, children before grandchildren."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            # The name in parentheses may hold anything; the parent is the second field after it.
            parent = int(entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found, queue = [], deque(children.get(pid, []))
    while queue:
        child = queue.popleft()
        found.append(child)
        queue.extend(children.get(child, []))
    return found
