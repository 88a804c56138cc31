"""Commands of a scenario: run within a time and a size, and nothing of them is left running."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

#: More than anybody prints to tell a version or a score.
_MAX_BYTES = 65_536
_GRACE_SECONDS = 5.0
_LOOK_SECONDS = 0.05


@attrs.frozen
class Finished:
    """What a command came to.

    Attributes:
        code: Its exit code, negative for a signal; ``None`` where there is trouble.
        output: What it wrote, to stdout and stderr, from the beginning.
        trouble: Why it could not be started or had to be stopped.
    """

    code: int | None
    output: str
    trouble: str = ""

    @property
    def last_line(self) -> str:
        """The last line that is not empty."""
        return next((line for line in reversed(self.output.splitlines()) if line.strip()), "")


def filled(command: Sequence[str], **values: object) -> list[str]:
    """Give a command with ``{python}`` and other names replaced; all else in braces stays."""
    names = {"python": sys.executable, **values}
    words = list(command)
    for name, value in names.items():
        words = [word.replace(f"{{{name}}}", str(value)) for word in words]
    return words


def run_command(
    command: Sequence[str], seconds: float, *, cwd: Path, environ: Mapping[str, str] | None = None
) -> Finished:
    """Run a command to its end.

    Args:
        command: Program and arguments.
        seconds: How long it may take; then it and all that it started are killed.
        cwd: Where it runs.
        environ: Its environment; this process's where ``None``.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the user chose the scenario, as they chose its container
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return Finished(None, "", f"cannot be started: {error.strerror or error}")
    try:
        output, trouble = _read(process, time.monotonic() + seconds, seconds)
    finally:
        # Its children too, those of a process that has ended well among them.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait(_GRACE_SECONDS)
        if process.stdout is not None:
            process.stdout.close()
    return Finished(None if trouble else code, output.decode("utf-8", "replace"), trouble)


def _read(process: subprocess.Popen[bytes], deadline: float, seconds: float) -> tuple[bytes, str]:
    """Read until the process ends, or until it has taken too long or said too much."""
    output = b""
    with selectors.DefaultSelector() as selector:
        if process.stdout is None:
            return output, "has no output"
        os.set_blocking(process.stdout.fileno(), False)
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None
            while chunk := process.stdout.read(_MAX_BYTES):
                output += chunk
                if len(output) > _MAX_BYTES:
                    return output[:_MAX_BYTES], f"wrote more than {_MAX_BYTES} bytes"
            if ended:
                return output, ""
            if time.monotonic() >= deadline:
                return output, f"did not end within {seconds:g} s"
            selector.select(_LOOK_SECONDS)
            if chunk == b"":
                # Its output is closed, and it goes on: there is nothing to wait for but its end.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_SECONDS)
