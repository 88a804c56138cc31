"""The process in which a plugin is looked at, as its parent sees it: started, listened to, ended."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO, Any, Self, cast

import attrs

#: The child sees the very distributions that this process does.
_BOOT = (
    "import json, sys; request = json.load(sys.stdin); sys.path[:] = request['path']; "
    "from gepa_framework.plugins.probe_child import main; main(request)"
)
#: How long the interpreter and the framework may take to get going, on a machine that is busy.
_STARTING_SECONDS = 120.0
#: A child that died is noticed at once; this is for one whose pipes are held open by what it left behind.
_LOOK_SECONDS = 0.2
_SAID_BYTES = 4096
_TOLD_BYTES = 1 << 20
_CHUNK = 1 << 16


@attrs.frozen
class Ended:
    """How it ended.

    Attributes:
        result: What was found; ``None`` where it did not come to that.
        stage: What it was at.
        code: Its exit code, negative for a signal; ``None`` where it was stopped because time was up.
        seconds: How long it took from the first stage on.
        said: The end of what was written to stderr.
        given_up: It was stopped because nobody wanted to know any more.
    """

    result: Mapping[str, object] | None
    stage: str
    code: int | None
    seconds: float
    said: str
    given_up: bool


class ProbeProcess:
    """One process in a session of its own.

    Args:
        request: What it is to do.
        seconds: How long it may take from its first stage on.
        stopped: Asked now and then whether to give up.
    """

    def __init__(self, request: Mapping[str, Any], seconds: float, stopped: Callable[[], bool]) -> None:
        self._request = request
        self._seconds = seconds
        self._stopped = stopped
        self._stage = ""
        self._given_up = False
        self._result: Mapping[str, object] | None = None
        self._said = b""
        self._told = b""
        self._began = time.monotonic()
        self._deadline = self._began + _STARTING_SECONDS

    def __enter__(self) -> Self:
        self._channel, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and a constant
                [sys.executable, "-P", "-c", _BOOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd=self._request["place"],
                pass_fds=(theirs,),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._channel)
            raise
        finally:
            os.close(theirs)
        with contextlib.suppress(OSError), cast("IO[bytes]", self._process.stdin) as stdin:
            # One that died at once is found out when it is waited for.
            stdin.write(json.dumps({**self._request, "path": sys.path, "channel": theirs}).encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What it started is in its session, and goes with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        cast("IO[bytes]", self._process.stderr).close()
        os.close(self._channel)

    def wait(self) -> Ended:
        """Listen until it has told what it found, has ended, or has no time left."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ, self._hear)
            selector.register(cast("IO[bytes]", self._process.stderr), selectors.EVENT_READ, self._overhear)
            code = self._listen(selector)
        said = self._said.decode("utf-8", "replace").strip()
        seconds = time.monotonic() - self._began
        return Ended(self._result, self._stage, code, seconds, said, self._given_up)

    def _listen(self, selector: selectors.BaseSelector) -> int | None:
        while self._result is None:
            code = self._process.poll()
            left = self._deadline - time.monotonic()
            self._given_up = code is None and self._stopped()
            if self._given_up or (code is None and left <= 0):
                return None
            # What a process wrote before it died is there by now.
            ready = selector.select(0 if code is not None else min(left, _LOOK_SECONDS))
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    selector.unregister(key.fileobj)
                key.data(chunk)
            if code is not None and (not ready or not selector.get_map() or left <= 0):
                return code
        return 0

    def _hear(self, chunk: bytes) -> None:
        *lines, self._told = (self._told + chunk)[-_TOLD_BYTES:].split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                self._take(json.loads(line))

    def _take(self, message: object) -> None:
        if not isinstance(message, dict):
            return
        if isinstance(stage := message.get("stage"), str):
            if not self._stage:
                self._began = time.monotonic()
                self._deadline = self._began + self._seconds
            self._stage = stage
        elif self._stage and isinstance(result := message.get("result"), dict):
            self._result = result

    def _overhear(self, chunk: bytes) -> None:
        self._said = (self._said + chunk)[-_SAID_BYTES:]
