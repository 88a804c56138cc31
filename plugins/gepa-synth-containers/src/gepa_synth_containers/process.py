"""The container's process, where the configuration says how to start it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import attrs

from gepa_framework.errors import TransportError
from gepa_framework.net.redact import MIN_SECRET_CHARS
from gepa_synth_containers import warden

HOST: Final = "127.0.0.1"
LOG_NAME: Final = "container.log"
#: What the warden has left to kill what is left, after the grace time.
_MARGIN_SECONDS: Final = warden.KILL_SECONDS + 2.0
_TICK_SECONDS: Final = 0.02
_TAIL_BYTES: Final = 2_000


@attrs.frozen
class Launch:
    """How a container is started.

    Attributes:
        command: Program and arguments, placeholders filled in.
        cwd: Where it runs.
        environ: Its environment.
        log: Where its output goes.
        secrets: Texts that are kept out of the log.
        grace_seconds: Time between SIGTERM and SIGKILL.
    """

    command: tuple[str, ...]
    cwd: Path
    environ: Mapping[str, str] = attrs.field(repr=False)
    log: Path
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    grace_seconds: float = 5.0


def free_port(host: str = HOST) -> int:
    """Give a port that nobody listens on at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace ``{port}``, ``{host}`` and ``{python}``; other braces stay as they are."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


class ContainerProcess:
    """A running container and the warden that guards it.

    Args:
        launch: How it is started.

    Raises:
        TransportError: It cannot be started.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        launch.log.parent.mkdir(parents=True, exist_ok=True)
        self._log_start = launch.log.stat().st_size if launch.log.exists() else 0
        try:
            self._process = self._start(launch)
        except OSError as error:
            raise TransportError(f"cannot start a process for the container: {error}") from None

    @staticmethod
    def _start(launch: Launch) -> subprocess.Popen[bytes]:
        # Isolated, so that nothing in the environment or the directory can change what the warden is.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
            [sys.executable, "-I", "-S", warden.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(launch.environ),
            start_new_session=True,
        )
        order = {
            "command": launch.command,
            "cwd": str(launch.cwd),
            "log": str(launch.log),
            "secrets": launch.secrets,
            "grace_seconds": launch.grace_seconds,
        }
        if process.stdin is not None:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
        return process

    @property
    def exit_code(self) -> int | None:
        """What the container ended with, 128 + n for signal n; ``None`` while it runs."""
        return self._process.poll()

    def log_tail(self) -> str:
        """Give the last lines that this container wrote."""
        try:
            with self._launch.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                start = self._log_start if self._log_start <= size else 0
                file.seek(max(start, size - _TAIL_BYTES))
                return file.read(_TAIL_BYTES).decode("utf-8", "replace").strip()
        except OSError as error:
            return f"(no log: {error})"

    def ended(self) -> str:
        """Say how the container ended."""
        return f"the container's process ended with exit code {self.exit_code}"

    def obituary(self) -> str:
        """Say how the container ended, with its last words."""
        last_words = self.log_tail() or "(it wrote nothing)"
        return f"{self.ended()}; the end of {self._launch.log}:\n{last_words}"

    async def stop(self) -> None:
        """Stop the container and whatever it started, within the grace time and a little; may be repeated."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if await self.ended_within(self._launch.grace_seconds + _MARGIN_SECONDS):
            return
        # The kernel ends the container with its warden.
        self._process.send_signal(signal.SIGKILL)
        await self.ended_within(_MARGIN_SECONDS)

    async def ended_within(self, seconds: float) -> bool:
        """Wait for the end for so long at most, and tell whether it has come."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(_TICK_SECONDS)
        return True


def known_secrets(*groups: Iterable[str]) -> tuple[str, ...]:
    """Give all secrets, once each, that are long enough to be told from ordinary words."""
    return tuple(sorted({secret for group in groups for secret in group if len(secret) >= MIN_SECRET_CHARS}))
