"""The Protocols that plugins implement.

Those that touch the world are asynchronous, those that do not are pure. A constructor does no IO: the
first call that needs the world opens it, and ``close`` may be called at any time, more than once.
A store touches the world and is not asynchronous: it is called from a thread that may wait.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from gepa_framework.types.effects import Effect
from gepa_framework.types.events import Event
from gepa_framework.types.proposal import Proposal, ProposalRequest
from gepa_framework.types.rollout import RolloutOutcome, RolloutRequest
from gepa_framework.types.run import RunView, StopReason
from gepa_framework.types.store import JournalTable, Row, Rows
from gepa_framework.types.task import ContainerInfo, Program, RowsRequest, TaskRow

T = TypeVar("T")


@runtime_checkable
class Transport(Protocol):
    """Speaks to the task container."""

    async def describe(self) -> ContainerInfo:
        """Negotiate the contract.

        Raises:
            ContainerContractError: The container does not speak it.
            TransportError: The container cannot be reached or started.
        """
        ...

    async def program(self) -> Program:
        """Fetch the program that candidates parametrise.

        Raises:
            ContainerContractError: The program is not what the contract says.
            TransportError: The container cannot be reached.
        """
        ...

    async def rows(self, request: RowsRequest) -> Sequence[TaskRow]:
        """Fetch rows, as many as asked for and in the order asked for.

        Raises:
            ContainerContractError: Rows are missing, doubled or nameless.
            TransportError: The container cannot be reached.
        """
        ...

    async def rollout(self, request: RolloutRequest) -> RolloutOutcome:
        """Run one candidate on one row, once; retrying is the caller's business.

        A failure is returned, not raised. Cancelling the call tells the container where it can be told.

        Raises:
            ContainerGoneError: There is no container any more; the run stops and can be resumed.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and of the container's process, within a bounded time."""
        ...


@runtime_checkable
class Proposer(Protocol):
    """Reads evidence and writes new component texts."""

    async def propose(self, request: ProposalRequest) -> Proposal:
        """Answer one request; all that may be known is in it.

        Raises:
            ProposerError: No proposal could be made; asking again is the proposer's own business. Its
                ``usage`` tells what was consumed all the same.
        """
        ...

    async def close(self) -> None:
        """Let go of processes and connections, within a bounded time."""
        ...


@runtime_checkable
class Preflight(Protocol):
    """What a transport, proposer or cache may offer besides: a look at what it needs, before all else.

    A run that is answered by its cache alone asks the cache alone.
    """

    async def preflight(self) -> None:
        """Find programs, keys, files and servers; asked once when a run begins or goes on.

        Raises:
            GepaError: Something is missing; the message says what and how to get it.
        """
        ...


@runtime_checkable
class Cache(Protocol):
    """Keeps answers by namespace and key. Values are opaque bytes.

    One that is built with ``context.readonly`` writes nothing whatever it is asked, and refuses `put`.
    """

    async def get(self, namespace: str, key: str) -> bytes | None:
        """Give the value, or ``None`` where there is none.

        Raises:
            CacheCorruptError: The value is not what was put in.
        """
        ...

    async def put(self, namespace: str, key: str, value: bytes) -> None:
        """Keep the value; the first one put under a key stays.

        Raises:
            CacheFullError: There is no room and nothing may be dropped.
        """
        ...

    async def close(self) -> None:
        """Write what is unwritten and let go of files and connections."""
        ...


@runtime_checkable
class Listing(Protocol):
    """What a cache may offer besides: a look at all that it keeps, so that a miss can tell what came near."""

    def values(self, namespace: str) -> AsyncIterator[bytes]:
        """Give the values of a namespace one by one, in an order that stays the same.

        Raises:
            CacheCorruptError: A value is not what was put in.
        """
        ...


@runtime_checkable
class Stopper(Protocol):
    """Decides, from the run's state alone, whether the search is over. Pure, and asked in order."""

    def check(self, view: RunView) -> StopReason | None:
        """Give the reason to stop now, or ``None`` to go on."""
        ...


@runtime_checkable
class Listener(Protocol):
    """Hears every event, after it is on record. What it raises never harms the run unless it is told to."""

    def on_event(self, event: Event) -> None:
        """Take note of one event; must not block for long."""
        ...

    def close(self) -> None:
        """Write what is unwritten."""
        ...


@runtime_checkable
class EffectListener(Protocol):
    """What a listener may offer besides: to hear of each effect, with the time that it took."""

    def on_effect(self, effect: Effect) -> None:
        """Take note of one effect; must not block for long.

        It is told once its outcome is on record, and before the events that follow from it. What is on record
        when a run is resumed is told no more, and what was begun in vain not at all.
        """
        ...


@runtime_checkable
class Executor(Protocol):
    """Runs effects: in this process by default, elsewhere by plugin."""

    async def submit(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run the call and give its answer; what it raises is raised here."""
        ...

    async def drain(self) -> None:
        """Wait for what is under way."""
        ...

    async def close(self) -> None:
        """Stop what is under way, within a bounded time."""
        ...


@runtime_checkable
class Store(Protocol):
    """Keeps the journal of one run: rows that are appended and never changed.

    Called from any thread, by one at a time. ``exists`` and ``location`` may be called at any time, the
    others between ``create`` or ``open`` and ``close``.
    """

    def location(self) -> str:
        """Say where the journal is, for people: a path, or a server and a name, and never a secret."""
        ...

    def exists(self) -> bool:
        """Tell whether the run's journal is there.

        Raises:
            WorkspaceError: That cannot be found out.
        """
        ...

    def create(self, meta: Mapping[str, str]) -> None:
        """Begin the journal, whole or not at all, and leave it open for appending.

        Raises:
            WorkspaceError: There is one already, or it cannot be written.
        """
        ...

    def open(self, *, readonly: bool = False) -> None:
        """Open the journal that is there, for appending or for reading alone.

        For reading alone, nothing is written, and all that is given is of one moment: another process may
        append meanwhile.

        Raises:
            WorkspaceError: There is none, or it cannot be opened so; nothing was changed.
        """
        ...

    def meta(self) -> Mapping[str, str]:
        """Give what `create` was given."""
        ...

    def append(self, rows: Rows) -> None:
        """Add rows in one transaction; when it returns they survive a loss of power.

        Raises:
            DiskBudgetError: There is no room; nothing of this call is there.
            WorkspaceError: They cannot be written; nothing of this call is there.
        """
        ...

    def rows(self, table: JournalTable) -> Iterator[Row]:
        """Give the rows of a table one by one, without holding all of them.

        ``inputs`` come by ``position``, ``attempts`` by ``position, attempt``, ``events`` by ``seq``. All
        three may be read at once; what is left unread is closed.
        """
        ...

    def last(self, table: JournalTable) -> Row | None:
        """Give the last row of `rows`, without reading the others; ``None`` where there is none."""
        ...

    def blob(self, sha256: str) -> str | None:
        """Give the text under a digest, or ``None`` where there is none."""
        ...

    def close(self) -> None:
        """Let go of files and connections; what was appended stays."""
        ...
