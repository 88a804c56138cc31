"""Workspaces of simulated runs: every kind of run that there is, without a world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.simulation.driver import Simulation
from tests.simulation.schedules import schedule

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.engine import Completed, Machine, Propose
from gepa_framework.runtime import RequestDigests
from gepa_framework.types import FailureKind, RolloutFailure
from gepa_framework.workspace import ENDINGS, START, Journal, Record, encode_control, encode_outcome

META = {
    "run_id": "simulated",
    "framework": "0",
    "config_text": "",
    "config_file": "",
    "base_dir": ".",
    "sets": "[]",
    "plugins_lock": "{}",
}


def write(path: Path, seed: int, *, batch: int = 7, mishaps: bool = True) -> Simulation:
    """Play a schedule, and keep what came of it as a run would."""
    simulation = Simulation(schedule(seed), mishaps=mishaps).run()
    journal = Journal.create(SqliteStore(path), META)
    waiting: list[Record] = []
    for record in _records(simulation):
        waiting.append(record)
        if len(waiting) == batch or any(body.type in ENDINGS for body in record.events):
            journal.commit(waiting)
            waiting.clear()
    if waiting:
        journal.commit(waiting)
    journal.close()
    return simulation


def _records(simulation: Simulation) -> list[Record]:
    given = simulation.schedule
    machine, digests = Machine(given.plan, given.stoppers()), RequestDigests("fake", "fake", {}, {})
    asked: dict[str, Any] = {}
    records = []
    for entry in simulation.journal:
        step = machine.start() if entry.given is None else machine.feed(entry.given, entry.elapsed)
        asked |= {command.effect_id: command for command in step.commands}
        blobs = {each.request_digest: each.text for each in step.commands if isinstance(each, Propose)}
        records.append(_record(entry, blobs, asked, digests))
    return records


def _record(entry: Any, blobs: dict[str, str], asked: dict[str, Any], digests: RequestDigests) -> Record:
    elapsed_us = round(entry.elapsed * 1e6)
    if entry.given is None:
        return Record(START, elapsed_us, entry.events, blobs=blobs)
    if not isinstance(entry.given, Completed):
        return Record(encode_control(entry.given), elapsed_us, entry.events, blobs=blobs)
    given = entry.given
    return Record(
        encode_outcome(given.outcome, given.effect_id),
        elapsed_us,
        entry.events,
        digests.key(asked[given.effect_id]),
        tuple(RolloutFailure(FailureKind.TIMEOUT, "slow", "", usage=usage) for usage in given.superseded),
        given.outcome,
        blobs=blobs,
    )
