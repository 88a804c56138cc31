"""Keeps one app-server running for a run: starts it late, replaces it when old, restarts it when dead."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import attrs

from gepa_codex.binary import CodexCommand, find_codex
from gepa_codex.config import CodexProposerConfig
from gepa_codex.failures import CodexError, Verdict
from gepa_codex.home import environment, make_home, remove_home, workspace
from gepa_codex.probe import CodexFacts, probe
from gepa_codex.server import AppServer
from gepa_codex.settings import write_settings
from gepa_framework.types import BuildContext

#: A server that lived this long is no sign of trouble when it dies.
HEALTHY_SECONDS: Final = 300.0
_LONGEST_WAIT: Final = 30.0


def backoff(failures: int) -> float:
    """Give the seconds to wait after so many failures in a row: 0.5, 1, 2, … up to 30."""
    return min(0.5 * 2.0 ** min(failures - 1, 10), _LONGEST_WAIT)


@attrs.frozen
class Setting:
    """What all servers of a run share.

    Attributes:
        command: How codex is called.
        facts: What it says of itself.
        home: The private CODEX_HOME.
    """

    command: CodexCommand
    facts: CodexFacts
    home: Path


class Supervisor:
    """Hands out servers to converse with.

    Args:
        config: The proposer's table.
        context: Where the run is.
    """

    def __init__(self, config: CodexProposerConfig, context: BuildContext) -> None:
        self._config, self._context = config, context
        self._lock = asyncio.Lock()
        self._home: Path | None = None
        self._setting: Setting | None = None
        self._current: AppServer | None = None
        self._servers: set[AppServer] = set()
        self._failures = 0
        self._last_failure = ""
        self._closed = False

    @property
    def setting(self) -> Setting:
        """What the servers share; known once one was leased."""
        if self._setting is None:
            raise CodexError("codex was not started", Verdict.FATAL)
        return self._setting

    @contextlib.asynccontextmanager
    async def lease(self) -> AsyncIterator[AppServer]:
        """Give a server for one conversation.

        Raises:
            CodexError: There is none and none can be started.
        """
        server = await self._acquire()
        try:
            yield server
        except CodexError as error:
            self._last_failure = error.message
            raise
        finally:
            server.leases -= 1
            if server.unhealthy or (server is not self._current and not server.leases):
                await self._drop(server)

    async def _acquire(self) -> AppServer:
        async with self._lock:
            server = await self._usable()
            server.leases += 1
            server.threads += 1
            return server

    async def _usable(self) -> AppServer:
        self._check_open()
        current = self._current
        if current is not None and current.usable:
            if current.threads < self._config.recycle_after_threads:
                return current
            self._current = None
            if not current.leases:
                await self._drop(current)
        elif current is not None:
            self._note_death(current)
            await self._drop(current)
        self._current = await self._start()
        return self._current

    def _note_death(self, server: AppServer) -> None:
        age = asyncio.get_running_loop().time() - server.started_at
        self._failures = 1 if age > HEALTHY_SECONDS else self._failures + 1
        self._current = None

    async def _start(self) -> AppServer:
        await self._pause()
        setting = self._setting = self._setting or await self._prepare()
        self._check_open()
        server, config = AppServer(), self._config
        self._servers.add(server)
        environ = environment(config, setting.command, setting.home, self._context.environ)
        try:
            await server.start(
                setting.command.server(), environ, workspace(setting.home), config.start_timeout_seconds
            )
        except BaseException as error:
            if isinstance(error, CodexError):
                self._failures, self._last_failure = self._failures + 1, error.message
            server.unhealthy = True
            await self._drop(server)
            raise
        self._context.logger.info(
            "codex %s started, found by %s", setting.facts.version, setting.command.source
        )
        return server

    async def _pause(self) -> None:
        if self._failures > self._config.max_restarts:
            raise CodexError(
                f"codex app-server failed {self._failures} times, which is more than proposer.max_restarts "
                f"allows; the last time: {self._last_failure}",
                Verdict.FATAL,
            )
        if self._failures:
            await asyncio.sleep(backoff(self._failures))

    async def _prepare(self) -> Setting:
        config, context = self._config, self._context
        command = find_codex(config, context.environ, context.base_dir)
        try:
            home = self._home = self._home or make_home(context.run_dir)
            environ = environment(config, command, home, context.environ)
            facts = await probe(command, environ, workspace(home), config.start_timeout_seconds)
            write_settings(home, config, features=facts.features, models=facts.models)
        except OSError as error:
            message = f"the private CODEX_HOME cannot be made in {context.run_dir}: {error.strerror}"
            raise CodexError(message, Verdict.FATAL) from error
        return Setting(command, facts, home)

    def _check_open(self) -> None:
        if self._closed:
            raise CodexError("the proposer is closed", Verdict.FATAL)

    async def _drop(self, server: AppServer) -> None:
        await server.stop()
        self._servers.discard(server)

    async def close(self) -> None:
        """End all servers and remove the private CODEX_HOME; bounded, and may be called more than once."""
        self._closed = True
        await asyncio.gather(*(self._drop(server) for server in tuple(self._servers)))
        if self._home is not None:
            remove_home(self._home)
