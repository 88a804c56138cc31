"""Workspaces of any size, written by the machine and the journal themselves, without a world."""

from __future__ import annotations

import argparse
import json
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.engine import (
    Command,
    Completed,
    Describe,
    Limits,
    LoadRows,
    Machine,
    Outcome,
    Plan,
    Propose,
    Rollout,
    Step,
)
from gepa_framework.runtime import RequestDigests
from gepa_framework.testing.fakes import SkillTask, levels
from gepa_framework.types import (
    ComponentSpec,
    ContainerInfo,
    Program,
    Proposal,
    RolloutResult,
    RowsRequest,
    Usage,
)
from gepa_framework.workspace import START, Feed, Journal, Record, encode_outcome

TASK = SkillTask(topics=50)
ROWS, MINIBATCH = 200, 8
#: One proposal in so many is an improvement.
ACCEPTED = 10
ROLLOUT, PROPOSAL = Usage(300, 40, 340, 0.0001), Usage(4000, 900, 4900, 0.02)
CONFIG = '[cache]\nmode = "off"\n'
META = {
    "run_id": "bench",
    "framework": "bench",
    "config_text": CONFIG,
    "config_file": "gepa.toml",
    "base_dir": ".",
    "sets": "[]",
    "plugins_lock": '{"plugins":[{"kind":"proposer","name":"fake"}],"schema":1}',
}


def plan(rollouts: int) -> Plan:
    """Give the plan of a run of so many rollouts, or a few less."""
    return Plan(
        seed=1,
        train=RowsRequest("train", seeds=tuple(range(ROWS))),
        heldout=RowsRequest("test", seeds=tuple(range(50))),
        limits=Limits(train_rollouts=rollouts - 100, heldout_rollouts=100),
        minibatch_size=MINIBATCH,
    )


def _answer(command: Command) -> Outcome:
    if isinstance(command, Rollout):
        level = levels(command.candidate.components["skills"])[int(str(command.row.data["topic"]))]
        told = {"topic": command.row.data["topic"], "why": "the level that the candidate has there"}
        return RolloutResult(
            level / 1024, {"accuracy": level / 1024}, output=level, feedback=told, usage=ROLLOUT
        )
    if isinstance(command, Propose):
        now = levels(command.request.parent.components["skills"])
        topic = int(str(command.request.evidence[0].inputs["topic"]))
        turn = command.request.iteration
        now[topic] += 1 if turn % ACCEPTED == 0 else -1 - command.request.seed % 1000
        return Proposal({"skills": " ".join(map(str, now))}, rationale="climb", usage=PROPOSAL, model="fake")
    if isinstance(command, LoadRows):
        return tuple(TASK.row(command.request.split, seed) for seed in command.request.seeds)
    if isinstance(command, Describe):
        return ContainerInfo("bench", "bench")
    seed = {"skills": " ".join("0" for _ in range(TASK.topics))}
    return Program("bench", "bench", (ComponentSpec("skills"),), ("skills",), seed)


def records(machine: Machine) -> Iterator[Record]:
    """Drive a machine to its end, one outcome at a time, and give what is to be journalled."""
    digests = RequestDigests("fake", "fake", {}, {})
    waiting: deque[Command] = deque()
    elapsed_us = 0

    def noted(step: Step) -> dict[str, str]:
        waiting.extend(step.commands)
        return {each.request_digest: each.text for each in step.commands if isinstance(each, Propose)}

    step = machine.start()
    yield Record(START, 0, step.events, blobs=noted(step))
    while not machine.status.terminal:
        command = waiting.popleft()
        outcome = _answer(command)
        elapsed_us += 1000
        step = machine.feed(Completed(command.effect_id, outcome), elapsed_us / 1e6)
        encoded = encode_outcome(outcome, command.effect_id)
        yield Record(
            encoded, elapsed_us, step.events, digests.key(command), outcome=outcome, blobs=noted(step)
        )


def write_workspace(run_dir: Path, rollouts: int, *, batch: int = 64, feeds: bool = True) -> Machine:
    """Write the workspace of a finished run, with its feeds if they are wanted; its directory is made.

    Args:
        run_dir: The run's directory.
        rollouts: How many rollouts it has, or a few less.
        batch: Inputs in one transaction.
        feeds: Whether ``events.jsonl`` and ``events.normalized.jsonl`` are written too.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    machine = Machine(plan(rollouts))
    journal = Journal.create(SqliteStore(run_dir / "workspace.sqlite"), META)
    waiting: list[Record] = []
    for record in records(machine):
        waiting.append(record)
        if len(waiting) >= batch or machine.status.terminal:
            journal.commit(waiting)
            waiting.clear()
    if feeds:
        Feed(run_dir, journal).close()
    journal.close()
    return machine


def main() -> None:
    """Write one and say what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--rollouts", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=64)
    given = parser.parse_args()
    began = time.perf_counter()
    machine = write_workspace(given.run_dir, given.rollouts, batch=given.batch)
    size = (given.run_dir / "workspace.sqlite").stat().st_size
    done = machine.run.ledger.rollouts
    print(json.dumps({"rollouts": done, "bytes": size, "seconds": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()
