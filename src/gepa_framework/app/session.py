"""One run in one directory: opened, driven to its end, exported, closed."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import attrs

from gepa_framework.app import files
from gepa_framework.app.building import Built, build
from gepa_framework.app.chronicle import Chronicle
from gepa_framework.app.closing import close_plugins, leave_nothing, run_to_end
from gepa_framework.app.exports import export
from gepa_framework.app.facts import cache_namespace, facts
from gepa_framework.app.history import History
from gepa_framework.app.legs import CacheLegs
from gepa_framework.app.pace import aimd_rule, call_limits
from gepa_framework.app.planning import asked_of_proposer
from gepa_framework.app.prepare import Prepared
from gepa_framework.app.rerun import finished_before, recorded_result
from gepa_framework.app.result import GepaRunResult
from gepa_framework.app.stores import begin_journal, is_begun, new_store, resume_journal
from gepa_framework.engine import Extend, Machine, Status, check_extension
from gepa_framework.errors import GepaError, InterruptedRunError, WorkspaceError
from gepa_framework.net.redact import Redactor, secrets_of
from gepa_framework.runtime import (
    Aimd,
    Audience,
    CacheMode,
    Driver,
    EffectCache,
    Gate,
    Hub,
    Pace,
    Performer,
    RequestDigests,
    RetryPolicy,
    World,
    standstill_told,
)
from gepa_framework.types import (
    Capability,
    JSONValue,
    Kind,
    Listener,
    canonical_json,
)
from gepa_framework.types.version import VERSION
from gepa_framework.workspace import (
    FAILPOINTS,
    Feed,
    Journal,
    Marker,
    Reserve,
    WorkspaceLock,
    check_end,
    file_errors,
    make_directory,
)

_LOGGER = logging.getLogger(__name__)
_TICK_SECONDS = 1.0
#: How long a call may keep everything else from running before it is named.
STANDSTILL_SECONDS = 120.0


@attrs.define
class Session:
    """A run that is being worked on.

    Attributes:
        prepared: What the run is made of.
        listeners: Listeners of the caller, told of replayed events too.
        on_interrupt: Called once when the run is asked to stop.
        handle_signals: Whether SIGINT and SIGTERM interrupt the run.
        chronicle: What is gathered for the result.
        house: Those who hear what is on record as well.
        store_location: Where the journal is, once it is open.
    """

    prepared: Prepared
    listeners: Sequence[Listener] = ()
    on_interrupt: Callable[[], None] | None = None
    handle_signals: bool = False
    chronicle: Chronicle = attrs.field(factory=Chronicle)
    _legs: CacheLegs = attrs.field(
        init=False, default=attrs.Factory(lambda self: CacheLegs(self.prepared.run_dir), takes_self=True)
    )
    house: Hub = attrs.field(init=False)
    store_location: str = attrs.field(default="", init=False)

    @house.default
    def _house(self) -> Hub:
        told = (self.chronicle, *self.listeners)
        return Hub([Audience(type(listener).__name__, listener) for listener in told])

    def start(self) -> GepaRunResult:
        """Begin the run and drive it to its end; a run that is finished gives its recorded result."""
        prepared = self.prepared
        run_dir = prepared.run_dir
        if is_begun(run_dir):
            return recorded_result(finished_before(prepared), self.listeners)
        if any((run_dir / name).exists() for name in (files.EVENTS, files.MARK)):
            raise WorkspaceError(
                f"{run_dir} holds the feeds of a run whose journal is gone",
                hint="restore the journal from a backup, or choose another run.run_id",
            )
        store = new_store(prepared)
        built = build(prepared)
        with file_errors(run_dir):
            make_directory(run_dir)
        meta = self._meta()
        with _alone(run_dir) as reserve, closing(begin_journal(prepared, store, meta)) as journal:
            files.write_json(run_dir / files.LOCK, json.loads(meta["plugins_lock"]))
            self._register("started")
            return self._drive(Machine(prepared.plan, built.stoppers), built, journal, reserve)

    def resume(self, history: History, extension: Extend | None = None) -> GepaRunResult:
        """Replay what is on record and go on from there.

        Args:
            history: What is on record.
            extension: Limits that hold before anything else is done.
        """
        prepared = self.prepared
        built = build(prepared)
        with _alone(prepared.run_dir) as reserve, closing(resume_journal(prepared)) as journal:
            check_end(prepared.run_dir, journal)
            machine = history.machine()
            for event in history.replay(machine, journal):
                self.house.publish([event])
            if extension is not None:
                extension = attrs.evolve(extension, stoppers=built.stoppers)
                check_extension(machine.run, extension)
            files.write_json(prepared.run_dir / files.LOCK, json.loads(journal.meta()["plugins_lock"]))
            self._register("resumed")
            return self._drive(machine, built, journal, reserve, extension)

    def _drive(
        self,
        machine: Machine,
        built: Built,
        journal: Journal,
        reserve: Reserve,
        extension: Extend | None = None,
    ) -> GepaRunResult:
        prepared = self.prepared
        self.store_location = journal.location
        marker = Marker(prepared.run_dir, journal)
        feed = Feed(prepared.run_dir, journal, marker.follow)
        self._legs = CacheLegs.read(prepared.run_dir / files.CACHE_PROFILE, resumed=bool(journal.events))
        hub = Hub([*self.house.audiences, *built.audiences])
        performer = self._performer(built)
        driver = Driver(
            machine,
            journal=journal,
            feed=feed,
            performer=performer,
            hub=hub,
            pace=self._pace(),
            reserve=reserve,
            elapsed=machine.run.elapsed,
            seq=journal.events,
        )
        if extension is not None:
            driver.extend(extension)
        error: GepaError | None = None
        try:
            if not machine.status.terminal or extension is not None:
                self._legs.begin(performer.cache.profile())
                run_to_end(self._run(driver, performer, built))
        except GepaError as caught:
            error = caught
        finally:
            # Nothing more goes into the journal: the room is for closing it, and for the exports.
            unwritten = _let_go(reserve, feed)
            if feed.torn:
                _write_again(prepared.run_dir, journal)
            unwritten = _let_go(marker, journal, hub) or unwritten
        return self._conclude(machine, performer, error or unwritten or machine.failure)

    async def _run(self, driver: Driver, performer: Performer, built: Built) -> None:
        with self._signals(driver), standstill_told(STANDSTILL_SECONDS, self._owner_of):
            try:
                await performer.preflight()
                await driver.run()
                await _settle(performer.cache)
            finally:
                await close_plugins(built)
                await leave_nothing(self._owner_of)

    def _owner_of(self, module: str) -> str:
        founds = (loaded.found for loaded in self.prepared.loaded_plugins())
        return next((found.owner for found in founds if _is_of(found.target, module)), "")

    @contextmanager
    def _signals(self, driver: Driver) -> Iterator[None]:
        if not self.handle_signals:
            yield
            return
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        asked = 0

        def stop() -> None:
            nonlocal asked
            asked += 1
            if asked == 1:
                driver.interrupt()
                if self.on_interrupt is not None:
                    self.on_interrupt()
            elif task is not None:
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
            # The loop has put a handler there that does nothing, and hears of the signal in another way; this
            # one is called at once.
            signal.signal(number, lambda *_: driver.signalled())
        try:
            yield
        except asyncio.CancelledError:
            raise InterruptedRunError("the run was stopped at once") from None
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _conclude(self, machine: Machine, performer: Performer, error: GepaError | None) -> GepaRunResult:
        status = machine.status.value
        if isinstance(error, InterruptedRunError):
            status = "interrupted"
            error.hint = f"gepa resume {self.prepared.run_dir}"
        elif error is not None and machine.status is not Status.CANCELLED:
            status = "failed"
        try:
            if error is not None:
                machine = self._as_recorded()
            result = self._export(machine, performer, status, error)
        except GepaError as second:
            # What ended the run explains more than that its files could not be written.
            raise (error or second) from second
        self._register(status, result)
        if error is not None:
            error.run_dir = str(self.prepared.run_dir)
            raise error
        return result

    def _as_recorded(self) -> Machine:
        """Give the machine as the journal has it: what broke the run may be in it and not on record."""
        self.chronicle = Chronicle()
        history = History.read(self.prepared.run_dir)
        machine = history.machine()
        with closing(history.journal()) as journal:
            for event in history.replay(machine, journal):
                self.chronicle.on_event(event)
        return machine

    def _export(
        self, machine: Machine, performer: Performer, status: str, error: GepaError | None
    ) -> GepaRunResult:
        return export(
            machine,
            self.chronicle,
            run_id=self.prepared.run_id,
            run_dir=self.prepared.run_dir,
            status=status,
            error=error,
            cache_profile=self._legs.whole(performer.cache.profile()),
            store_location=self.store_location,
        )

    def _performer(self, built: Built) -> Performer:
        config, gepa = self.prepared.config, self.prepared.config.gepa
        redact = Redactor(secrets_of(self.prepared.environ))
        world = World(
            run_id=self.prepared.run_id,
            transport=built.transport,
            proposer=built.proposer,
            executor=built.executor,
            retry=RetryPolicy(
                gepa.max_rollout_attempts, gepa.retry_backoff_seconds, gepa.rollout_async_timeout_seconds
            ),
            limits=call_limits(gepa),
            gate=Gate(Aimd(aimd_rule(gepa.pipeline))),
            owners=built.owners,
            policy=config.policy,
            redact=redact,
            keep_substituted=config.proposer.allow_model_substitution,
        )
        namespace = cache_namespace(config, self.prepared.run_id)
        owner = built.owners["cache"]
        cache = EffectCache(built.cache, CacheMode(config.cache.mode), namespace, redact=redact, owner=owner)
        asked_with = {"proposer": asked_of_proposer(self.prepared.loaded.resolved)}
        requests = RequestDigests(config.container.name, config.proposer.name, asked_with, config.policy)
        return Performer(world, cache, requests)

    def _pace(self) -> Pace:
        workers = self.prepared.config.gepa.pipeline.workers
        watched = self.prepared.plan.limits.seconds is not None or any(
            Capability.WATCHES_CLOCK
            in self.prepared.plugins.load(Kind.STOPPER, choice.name).info.capabilities
            for choice in self.prepared.config.stoppers
        )
        return Pace(
            rollouts=workers.rollout,
            proposals=workers.propose,
            tick_seconds=_TICK_SECONDS if watched else None,
        )

    def _meta(self) -> dict[str, str]:
        loaded = self.prepared.loaded
        return {
            "run_id": self.prepared.run_id,
            "framework": VERSION,
            "config_text": loaded.text,
            "config_file": loaded.file,
            "base_dir": str(loaded.base_dir),
            "sets": canonical_json(list(loaded.sets)),
            "plugins_lock": canonical_json(self.prepared.lock()),
            **facts(self.prepared),
        }

    def _register(self, status: str, result: GepaRunResult | None = None) -> None:
        row: dict[str, JSONValue] = {
            "run_id": self.prepared.run_id,
            "status": status,
            "run_dir": str(self.prepared.run_dir),
        }
        if result is not None:
            row |= {"best_candidate_id": result.best_candidate_id, "cost_usd": result.cost_usd}
        files.append_line(self.prepared.run_dir.parent / files.REGISTRY, files.stamped(row))


def _is_of(target: str, module: str) -> bool:
    """Tell whether a module is of the plugin of an entry point: all of a package is, but not all of ours."""
    home = target.partition(":")[0]
    package = home.partition(".")[0]
    if package == "gepa_framework":
        return module == home or module.startswith((f"{home}.", f"{home}_"))
    return module.partition(".")[0] == package


def _let_go(*things: Reserve | Feed | Marker | Journal | Hub) -> GepaError | None:
    """Close each, whatever the others do, and give what went wrong first."""
    errors: list[GepaError] = []
    for each in things:
        try:
            each.close()
        except GepaError as error:
            errors.append(error)
    return errors[0] if errors else None


@contextmanager
def _alone(run_dir: Path) -> Iterator[Reserve]:
    """Keep others out of a run, and room on its disk for an end in order."""
    lock = WorkspaceLock(run_dir)
    try:
        FAILPOINTS.passed("locked")
        if lock.deserted is not None:
            _LOGGER.info("%s worked on the run and did not come to an end of its own", lock.deserted)
        reserve = Reserve(run_dir)
        reserve.keep()
        FAILPOINTS.passed("reserve_kept")
        try:
            yield reserve
        finally:
            with suppress(GepaError):
                # It has been given up, or what keeps it from that has been told.
                reserve.release()
            FAILPOINTS.passed("reserve_released")
    finally:
        lock.release()
        FAILPOINTS.passed("unlocked")


def _write_again(run_dir: Path, journal: Journal) -> None:
    """Make feeds anew that could be written in part only."""
    try:
        Feed(run_dir, journal).close()
    except GepaError as error:
        _LOGGER.warning("the event feed ends early until the run is resumed: %s", error)


async def _settle(cache: EffectCache) -> None:
    """Wait for the last writes; the run is over, and what they lose is asked for again some day."""
    try:
        await cache.settle()
    except GepaError as error:
        _LOGGER.warning("the run is over, but not all of it is in the cache: %s", error)
