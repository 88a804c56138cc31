"""Guards a container's process: when whoever started it is gone, however that came, so is the container.

Run as a script with nothing but the standard library, in a session of its own. Its standard input is a pipe
from its parent: the first line is a JSON object that says what to run, and the end of the pipe says to stop.
Everything that the command starts is stopped with it: SIGTERM, a bounded wait, SIGKILL. Processes that left
the command's group are found as well, for the warden is the one that orphans below it are handed to.
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
MAX_LOG_BYTES = 8 * 1024 * 1024
CANNOT_START = 127
KILL_SECONDS = 5.0
TICK_SECONDS = 0.05
_CHUNK = 65_536
_MASK = b"[redacted]"


class Log:
    """A log that keeps the latest 8 to 16 MiB, in the file and its predecessor ``.1``, without secrets."""

    def __init__(self, path: Path, secrets: list[str], limit: int = MAX_LOG_BYTES) -> None:
        self._path = path
        self._secrets = [secret.encode() for secret in sorted(secrets, key=len, reverse=True)]
        self._limit = limit
        self._file: BinaryIO = path.open("ab")
        self._line = b""

    def feed(self, data: bytes) -> None:
        """Take bytes; whole lines are written, so that no secret is cut in two."""
        head, newline, self._line = (self._line + data).rpartition(b"\n")
        self._write(head + newline)
        if len(self._line) > _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Write the line that has no end yet."""
        line, self._line = self._line, b""
        self._write(line)

    def close(self) -> None:
        """Write what is unwritten and close the file."""
        self.flush()
        self._file.close()

    def _write(self, data: bytes) -> None:
        if not data:
            return
        for secret in self._secrets:
            data = data.replace(secret, _MASK)
        if self._file.tell() + len(data) > self._limit:
            self._rotate()
        self._file.write(data)
        self._file.flush()

    def _rotate(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_name(self._path.name + ".1"))
        self._file = self._path.open("ab")


def parents() -> dict[int, int]:
    """Give every process and its parent."""
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_bytes()
            except OSError:
                continue  # it ended while we looked
            found[int(entry.name)] = int(stat.rpartition(b")")[2].split()[1])
    return found


def descendants(root: int) -> list[int]:
    """Give every process below `root`."""
    table = parents()
    found = {root}
    for _ in range(len(table)):
        more = {pid for pid, parent in table.items() if parent in found and pid not in found}
        if not more:
            break
        found |= more
    return sorted(found - {root})


def send(pids: list[int], number: int) -> None:
    """Signal each process that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


class Warden:
    """Runs one command and ends with it.

    Args:
        order: ``command``, ``cwd``, ``log``, ``secrets`` and ``grace_seconds``.
    """

    def __init__(self, order: dict[str, object]) -> None:
        self._command = [str(word) for word in _list(order["command"])]
        self._cwd = str(order["cwd"])
        self._grace = float(str(order["grace_seconds"]))
        self._log = Log(Path(str(order["log"])), [str(text) for text in _list(order["secrets"])])
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._exit_code: int | None = None
        self._child = 0

    def run(self) -> int:
        """Run the command to its end or to ours, and give its exit code."""
        try:
            child = self._start()
        except OSError as error:
            self._log.feed(f"cannot start {self._command[0]!r} in {self._cwd}: {error}\n".encode())
            self._log.close()
            return CANNOT_START
        while not self._stopping and self._exit_code is None:
            self._turn(None)
        self._end_all()
        child.returncode = self._exit_code if self._exit_code is not None else -signal.SIGKILL
        self._log.close()
        return child.returncode if child.returncode >= 0 else 128 - child.returncode

    def _start(self) -> subprocess.Popen[bytes]:
        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._watch_signals()
        self._watch_stdin()
        child = subprocess.Popen(  # noqa: S603 - what to run is the configuration's to say
            self._command,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),  # noqa: PLW1509 - no threads
        )
        self._child = child.pid
        if child.stdout is not None:
            self._watch(child.stdout.fileno(), self._log.feed)
        return child

    def _watch(self, descriptor: int, take: Callable[[bytes], None]) -> None:
        os.set_blocking(descriptor, False)
        self._selector.register(descriptor, selectors.EVENT_READ, take)

    def _watch_stdin(self) -> None:
        self._watch(sys.stdin.fileno(), lambda data: None if data else self._stop())

    def _watch_signals(self) -> None:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stop())
        self._watch(reader, lambda _: None)

    def _stop(self) -> None:
        self._stopping = True

    def _turn(self, seconds: float | None) -> None:
        for key, _ in self._selector.select(seconds):
            try:
                data = os.read(key.fd, _CHUNK)
            except BlockingIOError:
                continue
            if not data:
                self._selector.unregister(key.fd)
            key.data(data)
        self._reap()

    def _reap(self) -> None:
        # Ends when no ended child is left.
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._child:
                self._exit_code = os.waitstatus_to_exitcode(status)

    def _end_all(self) -> None:
        send(descendants(os.getpid()), signal.SIGTERM)
        if not self._gone_within(self._grace):
            # A process may be born while the others die: look again until none is left.
            deadline = time.monotonic() + KILL_SECONDS
            while time.monotonic() < deadline and (left := descendants(os.getpid())):
                send(left, signal.SIGKILL)
                self._turn(TICK_SECONDS)
        self._turn(0)

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while descendants(os.getpid()):
            if time.monotonic() >= deadline:
                return False
            self._turn(TICK_SECONDS)
        return True


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise TypeError(f"a list is needed, got {type(value).__name__}")


def main() -> int:
    """Read the order and carry it out."""
    # Byte by byte: nothing behind the first line may be taken off the pipe.
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            return CANNOT_START
        line += byte
    return Warden(json.loads(line)).run()


if __name__ == "__main__":
    sys.exit(main())
