"""The driver: carries commands out, journals what comes of them, and only then lets them count."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs

from gepa_framework.engine import (
    Cancel,
    Command,
    Completed,
    Extend,
    Input,
    Machine,
    Rollout,
    Status,
    Step,
    Tick,
)
from gepa_framework.errors import InterruptedRunError, RunFailedError
from gepa_framework.runtime.failpoint import Failpoints
from gepa_framework.runtime.lane import Lane
from gepa_framework.runtime.listening import Hub
from gepa_framework.runtime.perform import Performed, Performer
from gepa_framework.types import Event, RolloutFailure
from gepa_framework.workspace import START, Encoded, Feed, Journal, Line, Record, encode_control


@attrs.frozen
class Pace:
    """How much at once, and how long for.

    Attributes:
        rollouts: Rollouts under way at once.
        proposals: Proposals and set-up calls under way at once.
        tick_seconds: How often the machine is told the time; never where ``None``.
        grace_seconds: How long what is under way may take to finish after an interrupt.
    """

    rollouts: int = 8
    proposals: int = 1
    tick_seconds: float | None = None
    grace_seconds: float = 5.0


@attrs.frozen
class _Arrival:
    given: Input
    encoded: Encoded
    request_digest: str | None = None
    superseded: tuple[RolloutFailure, ...] = ()


class Driver:
    """Drives one machine to its end, or to an interrupt.

    Args:
        machine: New, or replayed up to the end of its journal.
        journal: Where everything is written before it counts.
        feed: The export of the events.
        performer: Carries commands out.
        hub: Told of every event once it is on record.
        pace: How much at once.
        elapsed: Seconds that were worked on the run before.
        seq: Events on record.
    """

    def __init__(
        self,
        machine: Machine,
        *,
        journal: Journal,
        feed: Feed,
        performer: Performer,
        hub: Hub,
        pace: Pace,
        elapsed: float = 0.0,
        seq: int = 0,
    ) -> None:
        self._machine = machine
        self._journal = journal
        self._feed = feed
        self._performer = performer
        self._hub = hub
        self._pace = pace
        self._began = time.monotonic() - elapsed
        self._elapsed_us = round(elapsed * 1e6)
        self._seq = seq
        self._again: frozenset[str] = frozenset()
        self._extension: Extend | None = None
        self._arrivals: deque[_Arrival] = deque()
        self._wake = asyncio.Event()
        self._error: BaseException | None = None
        self._interrupted = False
        self._rollouts = Lane(pace.rollouts, self._work)
        self._others = Lane(pace.proposals, self._work)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="gepa-journal")
        self._failpoints = Failpoints()

    def interrupt(self) -> None:
        """Begin nothing more, let what is under way finish for a moment, and leave the run resumable."""
        self._interrupted = True
        self._wake.set()

    def cancel(self, reason: str) -> None:
        """End the run for good."""
        cancel = Cancel(reason)
        self._arrive(_Arrival(cancel, encode_control(cancel)))

    def extend(self, given: Extend) -> None:
        """Have limits raised before anything else is done; reopens a run that is finished."""
        self._extension = given

    async def run(self) -> None:
        """Drive until the machine is done.

        Raises:
            BudgetExceededError: The extension is of no use; nothing of it is in the journal.
            InterruptedRunError: `interrupt` was called; the journal is whole.
            GepaError: The run could not go on; the journal is whole.
        """
        ticking = asyncio.create_task(self._tick()) if self._pace.tick_seconds else None
        try:
            await self._begin()
            await self._loop()
        finally:
            if ticking is not None:
                ticking.cancel()
            await self._settle()
            self._writer.shutdown()

    async def _begin(self) -> None:
        if self._machine.status is Status.NEW:
            step = self._machine.start()
            await self._commit([(Record(START, self._elapsed_us, step.events), step)])
            unfinished: tuple[Command, ...] = ()
        else:
            unfinished = tuple(self._machine.pending.values())
            self._again = frozenset(self._machine.pending)
        if self._extension is not None:
            await self._commit(
                [self._feed_machine(_Arrival(self._extension, encode_control(self._extension)))]
            )
        self._dispatch(unfinished)

    async def _loop(self) -> None:
        while self._machine.status is Status.RUNNING:
            await self._wake.wait()
            self._wake.clear()
            if self._interrupted:
                await self._stop_gently()
            await self._take_arrivals()
            if self._error is not None:
                raise self._error

    async def _stop_gently(self) -> None:
        for lane in (self._rollouts, self._others):
            lane.pause()
        await asyncio.gather(
            *(lane.settle(self._pace.grace_seconds) for lane in (self._rollouts, self._others))
        )
        await self._take_arrivals()
        if self._machine.status is Status.RUNNING:
            raise InterruptedRunError("the run was interrupted")

    async def _take_arrivals(self) -> None:
        """Feed everything that has come in, and commit it as one."""
        batch: list[tuple[Record, Step]] = []
        try:
            while self._arrivals and self._machine.status is Status.RUNNING:
                arrival = self._arrivals.popleft()
                given = arrival.given
                if isinstance(given, Completed) and given.effect_id not in self._machine.pending:
                    continue  # it was revoked while it came in
                fed = self._feed_machine(arrival)
                if isinstance(self._machine.failure, RunFailedError):
                    # What broke the run stays out of its journal: a mended world is asked again.
                    raise self._machine.failure
                batch.append(fed)
        finally:
            # The run may break at one of them; those before it are paid for.
            if batch:
                await self._commit(batch)

    def _feed_machine(self, arrival: _Arrival) -> tuple[Record, Step]:
        now = max(self._elapsed_us, round((time.monotonic() - self._began) * 1e6))
        self._elapsed_us = now
        step = self._machine.feed(arrival.given, now / 1e6)
        record = Record(arrival.encoded, now, step.events, arrival.request_digest, arrival.superseded)
        return record, step

    async def _commit(self, batch: Sequence[tuple[Record, Step]]) -> None:
        records = [record for record, _ in batch]
        self._failpoints.passed("before_commit")
        loop = asyncio.get_running_loop()
        lines = await loop.run_in_executor(self._writer, self._journal.commit, records)
        self._failpoints.passed("after_commit")
        self._publish(records, lines)
        for _, step in batch:
            for lane in (self._rollouts, self._others):
                if step.revoked:
                    lane.revoke(step.revoked)
            self._dispatch(step.commands)

    def _publish(self, records: Sequence[Record], lines: Sequence[Line]) -> None:
        self._feed.write(lines)
        self._failpoints.passed("after_feed")
        events: list[Event] = []
        for record in records:
            for body in record.events:
                self._seq += 1
                events.append(Event(self._seq, record.elapsed_us / 1e6, body))
        self._hub.publish(events)

    def _dispatch(self, commands: Iterable[Command]) -> None:
        for command in tuple(commands):
            if command.effect_id in self._machine.pending:
                lane = self._rollouts if isinstance(command, Rollout) else self._others
                lane.submit(command)

    async def _work(self, command: Command) -> None:
        self._failpoints.passed("before_send")
        try:
            done = await self._performer.perform(command, again=command.effect_id in self._again)
        except Exception as error:  # noqa: BLE001 - raised again by the loop, which owns the run
            self._error = self._error or error
            self._wake.set()
            return
        self._failpoints.passed("after_send")
        self._arrive(_arrival(command, done))

    def _arrive(self, arrival: _Arrival) -> None:
        self._arrivals.append(arrival)
        self._wake.set()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._pace.tick_seconds or 1.0)
            self._arrive(_Arrival(Tick(), encode_control(Tick())))

    async def _settle(self) -> None:
        for lane in (self._rollouts, self._others):
            await lane.settle(0)


def _arrival(command: Command, done: Performed) -> _Arrival:
    paid = tuple(failure.usage for failure in done.superseded)
    completed = Completed(command.effect_id, done.outcome, paid)
    return _Arrival(completed, done.encoded, done.request_digest, done.superseded)
