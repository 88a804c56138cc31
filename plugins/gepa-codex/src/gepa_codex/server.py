"""One running app-server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gepa_codex import __version__, process
from gepa_codex.connection import Connection, RequestTimeoutError, Subscriber
from gepa_codex.failures import CodexError, ServerGoneError, Verdict

_CLIENT: Final = {"name": "gepa_codex", "title": "gepa-codex", "version": __version__}
_END_SECONDS: Final = 2.0


class AppServer:
    """A process that is spoken to, from its start to its end.

    Attributes:
        threads: Conversations begun.
        leases: Conversations under way.
        unhealthy: It must not be used any longer.
        started_at: Loop time of its start, in seconds.
    """

    def __init__(self) -> None:
        self.threads = 0
        self.leases = 0
        self.unhealthy = False
        self.started_at = 0.0
        self._tail = process.Tail()
        self._process: asyncio.subprocess.Process | None = None
        self._connection: Connection | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._end: asyncio.Task[None] | None = None

    async def start(
        self, command: tuple[str, ...], environ: Mapping[str, str], cwd: Path, seconds: float
    ) -> None:
        """Start the process and shake hands.

        Raises:
            CodexError: It cannot be started, ends, or does not answer in time.
        """
        self.started_at = asyncio.get_running_loop().time()
        child, (stdin, stdout, stderr) = await process.spawn(command, environ, cwd)
        self._process, self._connection = child, Connection(stdout, stdin, self._tail.add)
        draining = asyncio.create_task(self._tail.drain(stderr))
        reading = asyncio.create_task(self._read(child, self._connection, draining))
        self._tasks = (draining, reading)
        await self._initialize(self._connection, seconds)

    async def _initialize(self, connection: Connection, seconds: float) -> None:
        capabilities = {"experimentalApi": True, "requestAttestation": False, "optOutNotificationMethods": []}
        params = {"clientInfo": _CLIENT, "capabilities": capabilities}
        try:
            await connection.request("initialize", params, seconds)
        except RequestTimeoutError as error:
            tail = f": {self._tail}" if str(self._tail) else ""
            raise CodexError(
                f"codex app-server did not answer initialize within {seconds:g} s{tail}",
                Verdict.RETRY,
                hint="raise proposer.start_timeout_seconds if the machine is slow",
            ) from error
        except ServerGoneError as error:
            raise CodexError(f"before it was ready, {error.message}", Verdict.FATAL) from error
        await connection.send({"method": "initialized"})

    async def _read(
        self, child: asyncio.subprocess.Process, connection: Connection, draining: asyncio.Task[None]
    ) -> None:
        reason = await connection.read()
        self.unhealthy = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await child.wait()
                await asyncio.shield(draining)
        code = "it still runs" if child.returncode is None else f"exit code {child.returncode}"
        tail = f": {self._tail}" if str(self._tail) else ""
        connection.end(f"codex app-server {reason} ({code}){tail}")

    @property
    def usable(self) -> bool:
        """Whether a conversation may be begun."""
        return self._connection is not None and not self.unhealthy

    async def request(self, method: str, params: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
        """Send a request and give its result; a server that does not answer is not used again.

        Raises:
            CodexError: See :meth:`Connection.request`.
        """
        if self._connection is None:
            raise ServerGoneError("codex app-server was not started")
        try:
            return await self._connection.request(method, params, seconds)
        except RequestTimeoutError:
            self.unhealthy = True
            raise

    def subscribed(self, thread_id: str, subscriber: Subscriber) -> contextlib.AbstractContextManager[None]:
        """Let the subscriber hear a conversation while the block runs.

        Raises:
            ServerGoneError: There will be nothing to hear.
        """
        if self._connection is None:
            raise ServerGoneError("codex app-server was not started")
        return self._connection.subscribed(thread_id, subscriber)

    async def stop(self) -> None:
        """End the process within a bounded time; may be called more than once."""
        if self._process is None:
            return
        if self._end is None:
            self._end = asyncio.create_task(self._stop(self._process, at_once=self.unhealthy))
            self.unhealthy = True
        # Whoever is cancelled while it waits must not leave the process behind.
        await asyncio.shield(self._end)

    async def _stop(self, child: asyncio.subprocess.Process, *, at_once: bool) -> None:
        await (process.kill(child) if at_once else process.stop(child))
        await asyncio.wait(self._tasks, timeout=2 * _END_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
