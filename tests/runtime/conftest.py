"""A world of plugins that do as a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.engine import Limits, Machine, Plan, Propose, Rollout
from gepa_framework.runtime import (
    Audience,
    CacheMode,
    Driver,
    EffectCache,
    Hub,
    Pace,
    Performer,
    RequestDigests,
    RetryPolicy,
    World,
    replay,
)
from gepa_framework.testing.fakes import FakeProposer, FakeTransport
from gepa_framework.types import (
    Candidate,
    Program,
    ProposalRequest,
    RowsRequest,
    Stage,
    TaskRow,
)
from gepa_framework.workspace import Feed, Journal

PLAN = Plan(
    seed=3,
    train=RowsRequest("train", seeds=tuple(range(6))),
    heldout=RowsRequest("heldout", seeds=(100, 101)),
    limits=Limits(train_rollouts=300, heldout_rollouts=4, iterations=4),
    minibatch_size=2,
)


class Recorder:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.closed = 0

    def on_event(self, event: Any) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1


class MemoryCache:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}
        self.calls: list[str] = []

    async def get(self, namespace: str, key: str) -> bytes | None:
        self.calls.append("get")
        return self.kept.get((namespace, key))

    async def put(self, namespace: str, key: str, value: bytes) -> None:
        self.calls.append("put")
        self.kept.setdefault((namespace, key), value)

    async def close(self) -> None: ...


class Transport(FakeTransport):
    """The skill task; `answer` may take a rollout over, and counts of those under way are kept."""

    def __init__(self, answer: Callable[[Any], Any] | None = None) -> None:
        super().__init__()
        self.answer = answer
        self.requests: list[Any] = []
        self.under_way = 0
        self.most = 0
        self.cancelled: list[str] = []

    async def rollout(self, request: Any) -> Any:
        self.requests.append(request)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            given = self.answer(request) if self.answer else None
            if asyncio.iscoroutine(given):
                given = await given
            return await super().rollout(request) if given is None else given
        except asyncio.CancelledError:
            self.cancelled.append(request.rollout_id)
            raise
        finally:
            self.under_way -= 1


def performer(
    transport: Any = None,
    proposer: Any = None,
    *,
    run_id: str = "r1",
    cache: Any = None,
    mode: CacheMode = CacheMode.OFF,
    retry: RetryPolicy | None = None,
    policy: Any = None,
    executor: Any = None,
    settings: Any = None,
    keep_substituted: bool = False,
    **holding: Any,
) -> Performer:
    world = World(
        **holding,
        run_id=run_id,
        transport=transport or Transport(),
        proposer=proposer or FakeProposer(),
        retry=retry or RetryPolicy(attempts=3, backoff_seconds=0.0),
        policy=policy or {},
        executor=executor,
        keep_substituted=keep_substituted,
    )
    requests = RequestDigests("fake", "fake", settings or {}, policy or {})
    return Performer(world, EffectCache(cache, mode, "space"), requests)


def rollout(
    row: str = "train:1", text: str = "0 " * 12, *, stage: Stage = Stage.SEED, iteration: int = 0
) -> Rollout:
    candidate = Candidate.of({"skills": text})
    effect = f"rollout/{iteration}/{stage.value}/{candidate.id}/train/{row}"
    data = {"topic": 1, "difficulty": 2}
    return Rollout(effect, candidate, TaskRow(row, "train", data), stage, iteration, "skills")


def propose(text: str = "0 " * 12, **changes: Any) -> Propose:
    program = Program("skills", "skills", (), ("skills",), {"skills": text})
    request = ProposalRequest("proposal/1", 1, Candidate.of({"skills": text}), ("skills",), (), (), program)
    return Propose("proposal/1", attrs.evolve(request, **changes))


@attrs.define
class Stand:
    """One run in a directory, with everything at hand."""

    path: Path
    transport: Any = attrs.field(factory=Transport)
    proposer: Any = attrs.field(factory=FakeProposer)
    plan: Plan = PLAN
    stoppers: tuple[Any, ...] = ()
    run_id: str = "r1"
    pace: Pace = attrs.field(factory=Pace)
    audiences: tuple[Audience, ...] = ()
    options: dict[str, Any] = attrs.field(factory=dict)
    extend: Any = None
    wrap: Callable[[Journal], Any] = lambda journal: journal
    recorder: Recorder = attrs.field(factory=Recorder)
    machine: Any = None
    driver: Any = None

    def go(self, while_running: Callable[[Any], Any] | None = None) -> Stand:
        """Begin the run, or take it up where its journal ends, and drive it."""
        database = self.path / "workspace.sqlite"
        new, store = not database.exists(), SqliteStore(database)
        journal = Journal.create(store, {}) if new else Journal.open(store)
        try:
            self._drive(journal, while_running)
        finally:
            journal.close()
        return self

    def _drive(self, journal: Journal, while_running: Callable[[Any], Any] | None) -> None:
        self.machine = Machine(self.plan, self.stoppers)
        events = list(replay(self.machine, journal.load()))
        feed = Feed(self.path, journal)
        hub = Hub([Audience("recorder", self.recorder), *self.audiences])

        async def main() -> None:
            carrying = performer(self.transport, self.proposer, run_id=self.run_id, **self.options)
            self.driver = Driver(
                self.machine,
                journal=self.wrap(journal),
                feed=feed,
                performer=carrying,
                hub=hub,
                pace=self.pace,
                elapsed=self.machine.run.elapsed,
                seq=len(events),
            )
            if self.extend is not None:
                self.driver.extend(self.extend)
            beside = asyncio.create_task(while_running(self)) if while_running else None
            try:
                await self.driver.run()
            finally:
                await carrying.cache.settle()
                if beside is not None:
                    beside.cancel()
                assert [t for t in asyncio.all_tasks() if "_drain" in repr(t)] == []

        try:
            asyncio.run(main())
        finally:
            feed.close()

    def stored(self) -> list[Any]:
        journal = Journal.open(SqliteStore(self.path / "workspace.sqlite"))
        try:
            return list(journal.load())
        finally:
            journal.close()

    @property
    def effects(self) -> list[str]:
        """Give the effects whose outcome is on record."""
        return [entry.given.effect_id for entry in self.stored() if hasattr(entry.given, "effect_id")]

    @property
    def feed(self) -> str:
        return (self.path / "events.normalized.jsonl").read_text()

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.recorder.events]


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    return SimpleNamespace(
        PLAN=PLAN,
        MemoryCache=MemoryCache,
        Recorder=Recorder,
        Stand=Stand,
        Transport=Transport,
        performer=performer,
        propose=propose,
        rollout=rollout,
    )


@pytest.fixture
def stand(tmp_path: Path) -> Callable[..., Stand]:
    made: list[Stand] = []

    def stand(**options: Any) -> Stand:
        path = tmp_path / str(len(made))
        path.mkdir()
        made.append(Stand(path, **options))
        return made[-1]

    return stand
