"""Running one rollout: submitting it, and following it to its end where the container runs it by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import quote

import attrs

from gepa_framework.net import HttpClient, HttpError
from gepa_framework.types import (
    FailureKind,
    JSONObject,
    JSONValue,
    RolloutFailure,
    RolloutOutcome,
)
from gepa_synth_containers.failures import from_http
from gepa_synth_containers.outcome import ENDED_ON_REQUEST, PENDING, broken, read_outcome, status_of

#: A container that is told to stop a rollout gets this many seconds to hear it.
TERMINATE_SECONDS: Final = 1.0
#: So many polls in a row may fail in a way that asking again may help.
POLL_FAILURES: Final = 3
_NO_SUCH_ROUTE: Final = frozenset({404, 405, 501})


@attrs.frozen
class Pace:
    """How rollouts are run.

    Attributes:
        mode: ``sync`` or ``async``.
        poll_seconds: Time between two looks at an asynchronous rollout.
        async_seconds: How long an asynchronous rollout may take.
    """

    mode: str = "sync"
    poll_seconds: float = 0.25
    async_seconds: float = 600.0


class Rollouts:
    """Runs rollouts against one container.

    Args:
        client: Speaks to the container.
        routes: Where rollouts may be submitted, the likeliest first.
        pace: How they are run.
    """

    def __init__(self, client: HttpClient, routes: tuple[str, ...], pace: Pace) -> None:
        self._client = client
        self._routes = routes
        self._proven = False
        self._pace = pace

    async def run(self, rollout_id: str, body: JSONObject, *, poll_first: bool) -> RolloutOutcome:
        """Run one rollout to its end.

        Args:
            rollout_id: Its id.
            body: What to submit.
            poll_first: Ask for it by its id before submitting it.

        Raises:
            asyncio.CancelledError: The call was cancelled; the container has been told.
        """
        try:
            record = await self._find(rollout_id) if poll_first else None
            if record is None:
                return await self._submit_and_follow(rollout_id, body)
            return await self._follow(rollout_id, record)
        except HttpError as error:
            return from_http(error)

    async def _submit_and_follow(self, rollout_id: str, body: JSONObject) -> RolloutOutcome:
        try:
            record = await self._submit(body)
        except asyncio.CancelledError:
            # It may have been accepted; a synchronous one ends with its connection.
            if self._pace.mode == "async":
                await self._terminate(rollout_id, "cancelled")
            raise
        return await self._follow(rollout_id, record)

    async def _find(self, rollout_id: str) -> JSONValue:
        """Give the record of an earlier submission; ``None`` when there is none to go by."""
        try:
            answer = await self._client.request("GET", _path(rollout_id))
        except HttpError as error:
            if error.status in _NO_SUCH_ROUTE:
                return None
            raise
        found = isinstance(answer.json, Mapping) and status_of(answer.json) not in ENDED_ON_REQUEST
        return answer.json if found else None

    async def _submit(self, body: JSONObject) -> JSONValue:
        """Submit to the advertised route; until one has worked, a missing route leads to the next one."""
        refused: HttpError | None = None
        for route in self._routes[:1] if self._proven else self._routes:
            try:
                answer = await self._client.request("POST", route, json=body, idempotent=True)
            except HttpError as error:
                if error.status not in _NO_SUCH_ROUTE:
                    raise
                refused = refused or error
            else:
                self._routes, self._proven = (route,), True
                return answer.json
        if refused is None:
            raise AssertionError("a contract has at least one rollout route")
        raise refused

    async def _follow(self, rollout_id: str, record: JSONValue) -> RolloutOutcome:
        if not isinstance(record, Mapping) or status_of(record) not in PENDING:
            return _checked(rollout_id, record)
        try:
            async with asyncio.timeout(self._pace.async_seconds):
                return await self._poll(rollout_id)
        except TimeoutError:
            await self._terminate(rollout_id, "timeout")
            return _too_slow(self._pace.async_seconds)
        except asyncio.CancelledError:
            await self._terminate(rollout_id, "cancelled")
            raise

    async def _poll(self, rollout_id: str) -> RolloutOutcome:
        # Ends with the rollout, with the caller's timeout, or with the container's silence.
        failures = 0
        while True:
            await asyncio.sleep(self._pace.poll_seconds)
            try:
                outcome = await self._look(rollout_id)
            except HttpError as error:
                failures += 1
                if failures == POLL_FAILURES or not error.retryable:
                    raise
            else:
                failures = 0
                if outcome is not None:
                    return outcome

    async def _look(self, rollout_id: str) -> RolloutOutcome | None:
        """Give the outcome if there is one by now."""
        state = (await self._client.request("GET", f"{_path(rollout_id)}/state")).json
        if isinstance(state, Mapping) and status_of(state) in PENDING:
            return None
        return _checked(rollout_id, (await self._client.request("GET", _path(rollout_id))).json)

    async def _terminate(self, rollout_id: str, reason: str) -> None:
        await asyncio.shield(asyncio.ensure_future(self._tell(rollout_id, reason)))

    async def _tell(self, rollout_id: str, reason: str) -> None:
        """Tell the container, if it can be told within a second, that nobody waits any more."""
        # It is a courtesy: a container that does not hear it changes nothing for us.
        with suppress(HttpError):
            await self._client.request(
                "POST", f"{_path(rollout_id)}/terminate", json={"reason": reason}, timeout=TERMINATE_SECONDS
            )


def _path(rollout_id: str) -> str:
    return f"/rollouts/{quote(rollout_id, safe='')}"


def _checked(rollout_id: str, record: JSONValue) -> RolloutOutcome:
    named = record.get("rollout_id") if isinstance(record, Mapping) else None
    if named is not None and named != rollout_id:
        return broken(f"the record of another rollout came: {named!r:.80}", code="wrong_rollout")
    return read_outcome(record)


def _too_slow(seconds: float) -> RolloutFailure:
    return RolloutFailure(
        kind=FailureKind.TIMEOUT,
        code="async_timeout",
        message=f"the rollout was not done within {seconds:g} s (gepa.rollout_async_timeout_seconds)",
        retryable=True,
    )
