"""Takes one message to the receiver, as often as it takes."""

from __future__ import annotations

import asyncio
import enum
import random
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import attrs

from gepa_framework.builtin.webhook_config import WebhookConfig
from gepa_framework.builtin.webhook_outbox import Message
from gepa_framework.builtin.webhook_secrets import WebhookSecrets

if TYPE_CHECKING:
    from gepa_framework.net import HttpClient, HttpError

#: No more is waited after the first attempt, in seconds; twice that after the second, and so on.
FIRST_PAUSE: Final = 1.0
#: No more is waited after any attempt, unless the receiver asks for it.
LONGEST_PAUSE: Final = 60.0


class Fate(enum.Enum):
    """What became of a message."""

    DELIVERED = enum.auto()
    """The receiver has it."""
    GIVEN_UP = enum.auto()
    """The receiver does not want it, or was not there at any attempt."""
    LEFT = enum.auto()
    """There was no time."""


@attrs.frozen
class Outcome:
    """What became of a message, and why."""

    fate: Fate
    why: str = ""


DELIVERED: Final = Outcome(Fate.DELIVERED)
LEFT: Final = Outcome(Fate.LEFT)


def full_jitter(attempt: int) -> float:
    """Give how long to wait after an attempt: anything up to a bound that doubles.

    Many runs that lose their receiver at the same moment do not come back at the same moment.
    """
    return random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 30)))  # noqa: S311


class Courier:
    """Posts to one receiver. Everything but the constructor runs on one event loop.

    Args:
        config: Where to, how long and how often.
        secrets: What is signed with.
        pause: Gives the seconds to wait after an attempt, counted from 1.

    Attributes:
        gone: The receiver wants nothing more, and is not asked again.
    """

    def __init__(
        self, config: WebhookConfig, secrets: WebhookSecrets, pause: Callable[[int], float] = full_jitter
    ) -> None:
        self._config = config
        self._secrets = secrets
        self._pause = pause
        self._client: HttpClient | None = None
        self._hurried = asyncio.Event()
        self._stopped = False
        self._task: asyncio.Task[Outcome] | None = None
        self.gone = False

    async def deliver(self, message: Message) -> Outcome:
        """Take a message to the receiver, or find out that it cannot be done."""
        if self._stopped:
            return LEFT
        if self.gone:
            return Outcome(Fate.GIVEN_UP, "the receiver wants nothing more")
        self._task = asyncio.create_task(self._attempts(message))
        try:
            return await self._task
        except asyncio.CancelledError:
            return LEFT

    def hurry(self) -> None:
        """Cut the wait for the next attempt short, once, unless the receiver asked for it."""
        self._hurried.set()

    def stop(self) -> None:
        """Let go of what is under way, and begin nothing more."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.aclose()

    async def _attempts(self, message: Message) -> Outcome:
        from gepa_framework.net import HttpError  # noqa: PLC0415 - with httpx, which takes its time

        for attempt in range(1, self._config.max_attempts + 1):
            try:
                await self._attempt(message)
            except HttpError as error:
                if not error.retryable:
                    return self._refused(error)
                why = f"{attempt} attempts, and at the last one: {error.message}"
                if attempt < self._config.max_attempts:
                    await self._wait(self._pause(attempt), error.retry_after)
            else:
                return DELIVERED
        return Outcome(Fate.GIVEN_UP, why)

    async def _attempt(self, message: Message) -> None:
        headers = self._secrets.signed(message.id, int(time.time()), message.body)
        await self._opened().post(self._config.target, message.body, headers=headers)

    def _refused(self, error: HttpError) -> Outcome:
        self.gone = error.status == HTTPStatus.GONE
        cure = "; by that it wants nothing more, and gets nothing more" if self.gone else ""
        return Outcome(Fate.GIVEN_UP, f"{error.message}{cure}")

    async def _wait(self, seconds: float, asked_for: float | None) -> None:
        if asked_for is not None:
            await asyncio.sleep(max(seconds, asked_for))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurried.wait()
        # Once: what comes after it is waited for again, or all attempts would be made at the same moment.
        self._hurried.clear()

    def _opened(self) -> HttpClient:
        from gepa_framework.net import HttpClient  # noqa: PLC0415 - as above

        if self._client is None:
            config = self._config
            self._client = HttpClient(
                config.origin,
                concurrency=1,
                connect_timeout=config.timeout_seconds,
                total_timeout=config.timeout_seconds,
                secrets=(*self._secrets.texts, *config.private),
                show_paths=False,
            )
        return self._client
