"""The transport: opens the container with the first call, and speaks the contract from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import attrs

from gepa_framework.errors import ContainerContractError, ContainerGoneError, GepaError, TransportError
from gepa_framework.net import FailureClass, HttpClient, HttpError, Redactor
from gepa_framework.types import (
    BuildContext,
    ContainerInfo,
    FailureKind,
    JSONObject,
    JSONValue,
    Program,
    RolloutFailure,
    RolloutOutcome,
    RolloutRequest,
    RowsRequest,
    TaskRow,
)
from gepa_synth_containers.config import SynthContainersConfig
from gepa_synth_containers.contract import Contract, container_name, negotiate
from gepa_synth_containers.failures import from_error
from gepa_synth_containers.launch import launch_of, place_of, start, wait_until_ready
from gepa_synth_containers.process import ContainerProcess
from gepa_synth_containers.program import read_program
from gepa_synth_containers.rollouts import Pace, Rollouts
from gepa_synth_containers.rows import plan_rows, read_rows
from gepa_synth_containers.submission import rollout_body

#: Connections beyond the rollouts' own, for polling and terminating.
_SPARE_CONNECTIONS: Final = 2
#: How often a question about the task is asked when the network, not the container, is at fault.
_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 0.2
_NOT_FOUND: Final = 404
_DEATH_SECONDS: Final = 0.3


@attrs.frozen
class Session:
    """An open container."""

    client: HttpClient
    contract: Contract
    metadata: JSONObject
    rollouts: Rollouts
    process: ContainerProcess | None


class SynthContainersTransport:
    """Speaks to one task container.

    Args:
        config: Where it is or how it is started.
        context: The run.
        headers: Sent with every request, the bearer token among them.
        secrets: Texts that must not be shown or logged.
    """

    def __init__(
        self,
        config: SynthContainersConfig,
        context: BuildContext,
        *,
        headers: Mapping[str, str],
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._config = config
        self._context = context
        self._headers = headers
        self._secrets = secrets
        self._redactor = Redactor(secrets)
        self._pace = _pace(context.settings)
        self._hidden = frozenset() if config.send_labels else frozenset(config.label_fields)
        self._opening: asyncio.Task[Session] | None = None
        self._url = ""
        self._closed = False

    async def describe(self) -> ContainerInfo:
        """Negotiate the contract; see :class:`gepa_framework.types.Transport`."""
        session = await self._session()
        return ContainerInfo(
            name=container_name(session.metadata),
            contract=session.contract.name,
            task=await self._task_info(session),
            can_poll=session.contract.can_poll,
            raw=session.metadata,
        )

    async def program(self) -> Program:
        """Fetch the program; see :class:`gepa_framework.types.Transport`."""
        session = await self._session()
        return read_program(await _ask(session.client, "GET", session.contract.program))

    async def rows(self, request: RowsRequest) -> tuple[TaskRow, ...]:
        """Fetch rows; see :class:`gepa_framework.types.Transport`."""
        session = await self._session()
        call = plan_rows(session.contract, request)
        return read_rows(call, request, await _ask(session.client, "POST", call.route, call.body))

    async def rollout(self, request: RolloutRequest) -> RolloutOutcome:
        """Run one candidate on one row; see :class:`gepa_framework.types.Transport`."""
        session = await self._reopened()
        try:
            body = rollout_body(
                request, mode=self._pace.mode, row_field=session.contract.row_field, hidden=self._hidden
            )
            outcome = await session.rollouts.run(
                request.rollout_id, body, poll_first=request.poll_first and session.contract.can_poll
            )
        except GepaError as error:
            return self._told(from_error(error), request)
        if isinstance(outcome, RolloutFailure):
            told = self._told(outcome, request)
            await _complain_of_death(told, session.process)
            return told
        return outcome

    async def close(self) -> None:
        """Close the connections and stop the container if it was started here; may be repeated."""
        self._closed = True
        opening, self._opening = self._opening, None
        if opening is None:
            return
        opening.cancel()
        await asyncio.wait({opening})
        if not _has_failed(opening):
            session = opening.result()
            await self._release(session.client, session.process)

    async def _reopened(self) -> Session:
        """Give the open container; in the midst of a run, one that does not open is a container lost."""
        try:
            return await self._session()
        except GepaError as error:
            raise ContainerGoneError(error.message, hint=error.hint) from error

    async def _session(self) -> Session:
        """Give the open container; all who come while it is being opened wait for the same attempt."""
        if self._closed:
            raise TransportError("the transport is closed")
        if self._opening is None or _has_failed(self._opening):
            self._opening = asyncio.create_task(self._open(), name="open-container")
        return await asyncio.shield(self._opening)

    async def _open(self) -> Session:
        place = place_of(self._config)
        process = None
        client = self._client(place.url)
        self._url = client.base_url
        try:
            if self._config.command:
                process = await start(launch_of(self._config, self._context, place, self._secrets), place)
                await wait_until_ready(process, client, self._config.startup_timeout_seconds)
            metadata = await _metadata(client)
            contract = negotiate(metadata)
        except BaseException as error:
            if isinstance(error, HttpError) and error.kind is FailureClass.CONNECT and process is None:
                error.hint = "start the container first, or give [container] command, which starts it"
            await self._release(client, process)
            raise
        return Session(client, contract, metadata, Rollouts(client, contract.rollouts, self._pace), process)

    def _client(self, url: str) -> HttpClient:
        return HttpClient(
            url,
            concurrency=self._context.concurrency + _SPARE_CONNECTIONS,
            headers=self._headers,
            total_timeout=self._config.timeout_seconds,
            max_body_bytes=self._config.max_body_bytes,
            secrets=self._secrets,
        )

    @staticmethod
    async def _release(client: HttpClient, process: ContainerProcess | None) -> None:
        await client.aclose()
        if process is not None:
            await process.stop()

    async def _task_info(self, session: Session) -> JSONObject:
        try:
            return _object(await _ask(session.client, "GET", "/task_info"), "/task_info")
        except HttpError as error:
            if error.status == _NOT_FOUND:
                return {}
            raise

    def _told(self, failure: RolloutFailure, request: RolloutRequest) -> RolloutFailure:
        """Give the failure as it may be recorded: without secrets, and the same in each run of one config."""
        message = self._context.redact(self._redactor(failure.message))
        # The port is another one in each run, and so is the id, in the address and in what containers answer.
        for text, name in ((self._url, ""), (request.rollout_id, "{rollout_id}")):
            message = message.replace(text, name) if text else message
        return attrs.evolve(failure, message=message)


def _has_failed(task: asyncio.Task[Session]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _pace(settings: JSONObject) -> Pace:
    default = Pace()
    poll = settings.get("rollout_poll_interval_ms")
    limit = settings.get("rollout_async_timeout_seconds")
    return Pace(
        mode=str(settings.get("rollout_submission_mode") or default.mode),
        poll_seconds=poll / 1000 if isinstance(poll, int | float) else default.poll_seconds,
        async_seconds=limit if isinstance(limit, int | float) else default.async_seconds,
    )


async def _complain_of_death(failure: RolloutFailure, process: ContainerProcess | None) -> None:
    """Raise the true cause where the container's process has ended."""
    if process is None or failure.kind is not FailureKind.TRANSPORT:
        return
    # The connection breaks a moment before the process is known to have ended.
    if await process.ended_within(_DEATH_SECONDS):
        raise ContainerGoneError(
            f"the container died: {process.ended()}",
            hint="see container.log, mend it, then resume the run; nothing that was recorded is lost",
        )


def _object(value: JSONValue, route: str) -> JSONObject:
    if isinstance(value, Mapping):
        return value
    raise ContainerContractError(f"{route} must answer an object, got {type(value).__name__}")


async def _metadata(client: HttpClient) -> JSONObject:
    for route in ("/metadata", "/info"):
        try:
            return _object(await _ask(client, "GET", route), route)
        except HttpError as error:
            if error.status != _NOT_FOUND:
                raise
    raise ContainerContractError(
        f"{client.base_url} serves neither /metadata nor /info, so it is no task container",
        hint="check [container] url, to which these routes are appended",
    )


async def _ask(client: HttpClient, method: str, route: str, body: JSONValue = None) -> JSONValue:
    """Ask about the task, again where that may help.

    Raises:
        HttpError: There was no usable answer.
    """
    for attempt in range(1, _ATTEMPTS):
        try:
            return (await client.request(method, route, json=body, idempotent=True)).json
        except HttpError as error:
            if not error.retryable:
                raise
            await asyncio.sleep(min(error.retry_after or attempt * _PAUSE_SECONDS, client.total_timeout))
    return (await client.request(method, route, json=body, idempotent=True)).json
