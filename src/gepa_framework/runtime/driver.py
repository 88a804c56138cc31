"""The driver: carries commands out, journals what comes of them, and only then lets them count."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs

from gepa_framework.engine import (
    Abandoned,
    Cancel,
    Command,
    Completed,
    Extend,
    Input,
    Machine,
    Propose,
    Status,
    Step,
    Tick,
)
from gepa_framework.engine.lanes import PROPOSE, ROLLOUT, SETUP, Lanes
from gepa_framework.errors import (
    DiskBudgetError,
    GepaError,
    InterruptedRunError,
    InvariantError,
    RunFailedError,
)
from gepa_framework.runtime.crew import Crew
from gepa_framework.runtime.heartbeat import Heartbeat, waiting_words
from gepa_framework.runtime.listening import Hub
from gepa_framework.runtime.pace import Pace
from gepa_framework.runtime.perform import Performed, Performer
from gepa_framework.runtime.watching import EffectWatch
from gepa_framework.types import Event
from gepa_framework.types.store import NO_BLOBS
from gepa_framework.workspace import (
    FAILPOINTS,
    START,
    Encoded,
    Feed,
    Journal,
    Line,
    Record,
    Reserve,
    encode_control,
)


@attrs.define(eq=False)
class _Arrival:
    given: Input
    encoded: Encoded
    done: Performed | None = None


class Driver:
    """Drives one machine to its end, or to an interrupt.

    Args:
        machine: New, or replayed up to the end of its journal.
        journal: Where everything is written before it counts.
        feed: The export of the events.
        performer: Carries commands out.
        hub: Told of every event once it is on record.
        pace: How much at once.
        reserve: Given up when the disk is full, for what is paid for already.
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
        reserve: Reserve | None = None,
        elapsed: float = 0.0,
        seq: int = 0,
    ) -> None:
        self._machine = machine
        self._journal = journal
        self._feed = feed
        self._performer = performer
        self._hub = hub
        self._pace = pace
        self._reserve = reserve
        self._trouble: GepaError | None = None
        self._began = time.monotonic() - elapsed
        self._elapsed_us = round(elapsed * 1e6)
        self._seq = seq
        self._again: frozenset[str] = frozenset()
        self._extension: Extend | None = None
        self._arrivals: deque[_Arrival] = deque()
        self._wake = asyncio.Event()
        self._error: BaseException | None = None
        self._interrupted = False
        self._waiting = False
        widths = {ROLLOUT: pace.rollouts, PROPOSE: pace.proposals, SETUP: pace.setup}
        self._watch = EffectWatch(hub)
        work = self._watch.timed(self._work)
        self._crew = Crew(Lanes(widths), work, self._done, self._nothing_under_way, lost=performer.lose)
        self._heartbeat = Heartbeat(pace.quiet_seconds, lambda: waiting_words(machine.pending.values()))
        performer.attach(resized=self._resize, silent=self._give_up)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="gepa-journal")

    def interrupt(self) -> None:
        """Begin nothing more, let what is under way finish for a moment, and leave the run resumable."""
        self._interrupted = True
        self._wake.set()

    def signalled(self) -> None:
        """Begin nothing more: a signal has come, and `interrupt` will be called; in a handler of signals."""
        self._interrupted = True

    def cancel(self, reason: str) -> None:
        """End the run for good."""
        self._arrive(_control(Cancel(reason)))

    def extend(self, given: Extend) -> None:
        """Have limits raised before anything else is done; reopens a run that is finished."""
        self._extension = given

    async def run(self) -> None:
        """Drive until the machine is done.

        Raises:
            BudgetExceededError: The extension is of no use; nothing of it is in the journal.
            InterruptedRunError: `interrupt` was called; the journal is whole.
            DiskBudgetError: The disk is full; the journal is whole.
            GepaError: The run could not go on; the journal is whole.
        """
        beside = [asyncio.create_task(self._heartbeat.watch())]
        if self._pace.tick_seconds:
            beside.append(asyncio.create_task(self._tick()))
        try:
            await self._begin()
            await self._loop()
        finally:
            for task in beside:
                task.cancel()
            await self._crew.settle(0)
            self._writer.shutdown()

    async def _begin(self) -> None:
        if self._machine.status is Status.NEW:
            step = self._machine.start()
            await self._commit(
                [(Record(START, self._elapsed_us, step.events, blobs=_blobs(step.commands)), step)]
            )
            unfinished: tuple[Command, ...] = ()
        else:
            unfinished = tuple(self._machine.pending.values())
            self._again = frozenset(self._machine.pending)
        if self._extension is not None:
            await self._commit([self._feed_machine(_control(self._extension))])
        self._crew.offer(unfinished)
        if self._machine.status is Status.RUNNING and (limbo := self._machine.run.limbo):
            # Whoever was to tell what had begun was stopped before it could: all of it may have.
            self._arrive(_control(Abandoned(tuple(sorted(limbo)))))

    async def _loop(self) -> None:
        while self._machine.status is Status.RUNNING:
            self._check_that_something_will_come()
            self._waiting = True
            await self._wake.wait()
            self._waiting = False
            self._wake.clear()
            if self._interrupted:
                await self._stop_gently()
            await self._take_arrivals()
            if self._error is not None:
                raise self._error

    def _check_that_something_will_come(self) -> None:
        if self._crew.busy or self._arrivals or self._error or self._interrupted:
            return
        waits = waiting_words(self._machine.pending.values())
        raise InvariantError(f"the run waits for {waits}, and nothing is under way")

    def _nothing_under_way(self) -> None:
        # Unless it waits, the loop looks before it does.
        if self._waiting:
            self._wake.set()

    async def _stop_gently(self) -> None:
        await self._crew.settle(self._pace.grace_seconds)
        await self._take_arrivals()
        if self._machine.status is Status.RUNNING:
            raise self._trouble or InterruptedRunError("the run was interrupted")

    async def _take_arrivals(self) -> None:
        """Feed everything that has come in, and commit it as one."""
        batch: list[tuple[Record, Step]] = []
        owed: list[Performed] = []
        try:
            pending = self._machine.pending
            while self._arrivals and self._machine.status is Status.RUNNING:
                arrival = self._arrivals.popleft()
                given = arrival.given
                if type(given) is Completed:
                    if given.effect_id not in pending:
                        continue  # it was revoked while it came in
                elif isinstance(given, Cancel):
                    arrival = _control(Cancel(given.reason, self._let_go(tuple(self._machine.pending))))
                fed = self._feed_machine(arrival)
                if isinstance(self._machine.failure, RunFailedError):
                    # What broke the run stays out of its journal: a mended world is asked again.
                    raise self._machine.failure
                batch.append(fed)
                if arrival.done is not None and arrival.done.owed is not None:
                    owed.append(arrival.done)
                if fed[1].revoked and self._machine.status is Status.RUNNING:
                    # Told even if nothing had begun: until then the machine reckons with the worst.
                    begun = self._let_go(fed[1].revoked)
                    self._arrivals.appendleft(_control(Abandoned(begun)))
        finally:
            # The run may break at one of them; those before it are paid for.
            if batch:
                await self._commit(batch)
            if owed:
                await self._keep(owed)

    async def _keep(self, owed: Sequence[Performed]) -> None:
        for done in owed:
            await self._performer.keep(done)
            if done.trouble is not None:
                self._end_for(done.trouble)

    def _let_go(self, effect_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Forget what waits, and give what had begun: it was paid for, even if its outcome came too late."""
        begun = set(self._crew.withdraw(effect_ids))
        begun.update(
            arrival.given.effect_id for arrival in self._arrivals if isinstance(arrival.given, Completed)
        )
        return tuple(name for name in effect_ids if name in begun)

    def _feed_machine(self, arrival: _Arrival) -> tuple[Record, Step]:
        now = self._elapsed_us = max(self._elapsed_us, round((time.monotonic() - self._began) * 1e6))
        step = self._machine.feed(arrival.given, now / 1e6)
        if (done := arrival.done) is None:
            return Record(arrival.encoded, now, step.events, blobs=_blobs(step.commands)), step
        return Record(
            done.encoded,
            now,
            step.events,
            done.request_digest,
            done.superseded,
            done.outcome,
            done.access,
            _blobs(step.commands) if step.commands else NO_BLOBS,
        ), step

    async def _commit(self, batch: Sequence[tuple[Record, Step]]) -> None:
        records = [record for record, _ in batch]
        if any(record.given.effect_id is not None for record in records):
            self._heartbeat.beat()
        FAILPOINTS.passed("before_commit")
        try:
            lines = await self._written(records)
        except DiskBudgetError as error:
            self._make_room(error)
            lines = await self._written(records)
        FAILPOINTS.passed("after_commit")
        self._publish(records, lines)
        pending = self._machine.pending
        for _, step in batch:
            # Most outcomes have neither: they are not the last that their flow waits for.
            if step.revoked:
                self._crew.stop(step.revoked)
                self._watch.forget(step.revoked)
            if step.commands and self._trouble is None and not self._interrupted:
                self._crew.offer([command for command in step.commands if command.effect_id in pending])

    async def _written(self, records: Sequence[Record]) -> Sequence[Line]:
        if self._crew.busy:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._writer, self._journal.commit, records)
        # Nothing is under way that a wait for the disk could hold up; a hop to a thread costs as much.
        return self._journal.commit(records)

    def _make_room(self, error: DiskBudgetError) -> None:
        """Begin nothing more, and give the reserve up to what is paid for already.

        Raises:
            DiskBudgetError: It was given up before.
        """
        if self._reserve is None or not self._reserve.release():
            raise error
        self._end_for(error)

    def _end_for(self, error: GepaError) -> None:
        """Begin nothing more, take what is under way and paid for, and then raise."""
        self._trouble = self._trouble or error
        self.interrupt()

    def _publish(self, records: Sequence[Record], lines: Sequence[Line]) -> None:
        try:
            if not self._feed.torn:
                self._feed.write(lines)
        except DiskBudgetError as error:
            self._make_room(error)
        FAILPOINTS.passed("after_feed")
        if not self._hub.audiences:
            self._seq += len(lines)
            return
        events: list[Event] = []
        for record in records:
            seconds = record.elapsed_us / 1e6
            for body in record.events:
                self._seq += 1
                events.append(Event(self._seq, seconds, body))
        self._watch.tell(records)
        self._hub.publish(events)

    async def _work(self, command: Command) -> Performed | None:
        FAILPOINTS.passed("before_send")
        try:
            done = await self._performer.perform(command, again=command.effect_id in self._again)
        except Exception as error:  # noqa: BLE001 - raised again by the loop, which owns the run
            self._fail(error)
            return None
        FAILPOINTS.passed("after_send")
        return done

    def _done(self, command: Command, done: Performed | None) -> None:
        if done is None:
            return
        self._arrive(_arrival(command, done))
        if done.trouble is not None:
            self._end_for(done.trouble)

    def _resize(self, rollouts: int) -> None:
        self._crew.resize(ROLLOUT, min(rollouts, self._pace.rollouts))

    def _give_up(self, task: asyncio.Task[None]) -> None:
        """Take the failure for the outcome of a call that cannot even be stopped."""
        if (command := self._crew.give_up(task)) is None:
            return
        try:
            self._done(command, self._performer.no_answer(command))
        except GepaError as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._wake.set()

    def _arrive(self, arrival: _Arrival) -> None:
        self._arrivals.append(arrival)
        self._wake.set()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._pace.tick_seconds or 1.0)
            self._arrive(_control(Tick()))


def _control(control: Tick | Cancel | Abandoned | Extend) -> _Arrival:
    return _Arrival(control, encode_control(control))


def _blobs(commands: Sequence[Command]) -> Mapping[str, str]:
    """Give the requests that proposers are about to be sent, by the digests that are on record for them."""
    return {command.request_digest: command.text for command in commands if isinstance(command, Propose)}


def _arrival(command: Command, done: Performed) -> _Arrival:
    paid = tuple(failure.usage for failure in done.superseded) if done.superseded else ()
    return _Arrival(Completed(command.effect_id, done.outcome, paid), done.encoded, done)
