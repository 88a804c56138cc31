"""CPU per iteration of the engine, everything durable, beside the reference on the same synthetic task.

Rows, scorer and proposer are the same on both sides and cost next to nothing, so that what is measured is
bookkeeping. One proposal in ten is better than its parent, from the first iteration to the last: the work of
an iteration does not change as the run grows, so that whatever grows is overhead. The last line is JSON:

* ``engine_cpu_ms``: CPU milliseconds per iteration, set-up and heldout included; the median of five runs.
* ``engine_flatness``: CPU of the last tenth of the iterations over that of the first tenth.
* ``engine_ratio``: CPU of the reference, with its run directory, over ours, per iteration.
* ``pipeline_efficiency``: the time that the fullest lane needs at the least, over the time that the pipelined
  search took, in virtual time; the worst of several numbers of places.
* ``pipeline_speedup``: time of the search without overlap over that of the pipelined one, for the first
  of them.
* ``replay_s``: seconds in which a journal of 10,000 completed rollouts, or a few more, is read, verified and
  replayed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from virtual_time import Clockwork, Places, search_plan

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.engine import Limits, Machine, Pipelining, Plan
from gepa_framework.runtime import (
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
from gepa_framework.testing.fakes import FakeProposer, FakeTransport, SkillTask, levels
from gepa_framework.types import (
    FREE,
    Proposal,
    ProposalRequest,
    RolloutResult,
    RowsRequest,
    TaskRow,
)
from gepa_framework.workspace import Feed, Journal, Marker

MINIBATCH = 3
ACCEPTED = 10  # one proposal in so many is an improvement
COMPLETIONS = 10_000  # of rollouts, in the journal that is replayed


class Ladder(SkillTask):
    """A skill task without a top: the reward is the level itself, scaled to stay below one."""

    def solve(self, text: str, row: TaskRow) -> RolloutResult:
        """Score a candidate's text on a row."""
        level = levels(text)[int(str(row.data["topic"]))]
        return RolloutResult(reward=level / 1024, output=level, feedback=row.data, usage=FREE)


TASK = Ladder(topics=50)


def climb(texts: Mapping[str, str], topic: int, turn: int, seed: int) -> dict[str, str]:
    """Raise a topic's level on every tenth turn, and lower it on the others, so that work is even."""
    now = levels(texts["skills"])
    now[topic] += 1 if turn % ACCEPTED == 0 else -1 - seed % 1000
    return {"skills": " ".join(map(str, now))}


#: Proposals and rollouts under way at once, and iterations in flight.
ONE_AT_A_TIME = Places(1, 8, 1)
PLACES = (Places(4, 8, 8), Places(1, 8, 8), Places(8, 8, 16), Places(8, 2, 16))


class Stopwatch:
    """Notes the CPU clock at each proposal, of which there is one in each iteration, on both sides."""

    def __init__(self) -> None:
        self.marks: list[float] = []

    def lap(self) -> None:
        """Note the clock."""
        self.marks.append(time.process_time())

    def flatness(self) -> float:
        """Give the CPU of the last tenth over that of the first tenth."""
        spans = [after - before for before, after in zip(self.marks, self.marks[1:], strict=False)]
        tenth = max(1, len(spans) // 10)
        return statistics.fmean(spans[-tenth:]) / statistics.fmean(spans[:tenth])


class Climber(FakeProposer):
    """Proposes what `improve` gives."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        super().__init__()
        self._stopwatch = stopwatch

    async def propose(self, request: ProposalRequest) -> Proposal:
        """Answer at once."""
        self._stopwatch.lap()
        return Proposal(improve(request), usage=FREE)


def improve(request: ProposalRequest) -> dict[str, str]:
    """Climb on the topic of the first row of the minibatch."""
    topic = int(str(request.evidence[0].inputs["topic"]))
    return climb(request.parent.components, topic, request.iteration, request.seed)


async def drive(
    directory: Path,
    rows: int,
    iterations: int,
    stopwatch: Stopwatch,
    rollouts: int = 10**9,
    *,
    task: SkillTask = TASK,
    meta: Mapping[str, str] = MappingProxyType({}),
    transport: FakeTransport | None = None,
    overlap: Places = ONE_AT_A_TIME,
) -> Machine:
    """Run our engine with its driver, everything durable in a directory, and give the machine as it ended."""
    plan = Plan(
        seed=1,
        train=RowsRequest("train", seeds=tuple(range(rows))),
        heldout=RowsRequest("test", seeds=(0,)),
        limits=Limits(train_rollouts=rollouts, heldout_rollouts=2, iterations=iterations),
        minibatch_size=MINIBATCH,
        pipelining=Pipelining(in_flight=overlap.in_flight),
    )
    machine = Machine(plan)
    journal = Journal.create(SqliteStore(directory / "workspace.sqlite"), meta)
    marker = Marker(directory, journal)
    feed = Feed(directory, journal, marker.follow)
    world = World("bench", transport or FakeTransport(task), Climber(stopwatch), RetryPolicy(), {})
    performer = Performer(
        world, EffectCache(None, CacheMode.OFF, "bench"), RequestDigests("fake", "fake", {}, {})
    )
    pace = Pace(rollouts=overlap.rollout, proposals=overlap.propose)
    await Driver(machine, journal=journal, feed=feed, performer=performer, hub=Hub(), pace=pace).run()
    feed.close()
    marker.close()
    journal.close()
    return machine


def ours(directory: Path, rows: int, iterations: int, stopwatch: Stopwatch) -> str:
    """Run ours and say what it did."""
    machine = asyncio.run(drive(directory, rows, iterations, stopwatch))
    run = machine.run
    return f"{run.ledger.rollouts} rollouts, pool {len(run.pool.members)}, best {run.pool.best_score}"


def replaying(rows: int) -> float:
    """Give the seconds that a replay takes, the best of three, and print them with their CPU time."""
    with tempfile.TemporaryDirectory(prefix="gepa-bench-") as directory:
        # Room for the iteration that would not fit, so that there are as many as there should be.
        most = COMPLETIONS + rows + 2 * MINIBATCH
        done = asyncio.run(drive(Path(directory), rows, most, Stopwatch(), most))
        assert done.run.ledger.rollouts >= COMPLETIONS
        times = [_replay(Path(directory), done) for _ in range(3)]
    wall, cpu = min(times)
    print(f"{'replay':10} {done.run.ledger.rollouts} rollouts: {wall:.3f} s wall, {cpu:.3f} s CPU")
    return wall


def _replay(directory: Path, done: Machine) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    machine, journal = Machine(done.run.plan), Journal.open(SqliteStore(directory / "workspace.sqlite"))
    events = sum(1 for _ in replay(machine, journal.load()))
    assert events == journal.events
    journal.close()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert machine.run.ledger == done.run.ledger
    return wall, cpu


class ReferenceAdapter:
    """The same task for the reference."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        self.draw = random.Random(1)
        self.turn = 0
        self.stopwatch = stopwatch

    def evaluate(self, batch: list, candidate: dict[str, str], capture_traces: bool = False) -> object:
        """Score a batch."""
        from gepa.core.adapter import EvaluationBatch

        results = [TASK.solve(candidate["skills"], row) for row in batch]
        scores = [result.reward for result in results]
        outputs = [result.output for result in results]
        traces = list(zip(batch, scores, strict=True)) if capture_traces else None
        return EvaluationBatch(outputs=outputs, scores=scores, trajectories=traces)

    def make_reflective_dataset(self, _candidate: object, batch: object, _components: object) -> dict:
        """Give the minibatch as evidence."""
        return {"skills": [{"row": row, "score": score} for row, score in batch.trajectories]}

    def propose_new_texts(self, candidate: dict[str, str], evidence: dict, _components: object) -> dict:
        """Do what our fake proposer does."""
        self.stopwatch.lap()
        topic = evidence["skills"][0]["row"].data["topic"]
        self.turn += 1
        return climb(candidate, topic, self.turn, self.draw.getrandbits(64))


def reference(directory: Path, rows: int, iterations: int, stopwatch: Stopwatch) -> str:
    """Run the reference with a run directory and say what it did."""
    import gepa
    from gepa.utils.stop_condition import MaxCandidateProposalsStopper

    data = [TASK.row("train", seed) for seed in range(rows)]
    result = gepa.optimize(
        seed_candidate={"skills": " ".join("0" for _ in range(TASK.topics))},
        trainset=data,
        valset=data,
        adapter=ReferenceAdapter(stopwatch),
        reflection_minibatch_size=MINIBATCH,
        stop_callbacks=MaxCandidateProposalsStopper(iterations + 1),
        run_dir=str(directory),
        logger=_Silence(),
        seed=1,
    )
    best = result.val_aggregate_scores[result.best_idx]
    return f"{result.total_metric_calls} rollouts, pool {len(result.candidates)}, best {best}"


class _Silence:
    def log(self, _message: str) -> None:
        """Say nothing."""


Side = Callable[[Path, int, int, Stopwatch], str]


def measure(name: str, side: Side, rows: int, iterations: int) -> tuple[float, float]:
    """Give CPU milliseconds per iteration and flatness, and print them."""
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory(prefix="gepa-bench-") as directory:
        wall, cpu = time.perf_counter(), time.process_time()
        did = side(Path(directory), rows, iterations, stopwatch)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    each = cpu / len(stopwatch.marks) * 1e3
    print(
        f"{name:10} {len(stopwatch.marks)} iterations: {each:8.3f} ms CPU each, {wall:7.2f} s wall, "
        f"flatness {stopwatch.flatness():.2f} ({did})"
    )
    return each, stopwatch.flatness()


def pipelines(rows: int, iterations: int) -> tuple[float, float]:
    """Give the worst efficiency of the pipeline and the speedup of the first places, and print all."""
    efficiencies, speedups = [], []
    for places in PLACES:
        together, one_by_one = (
            Clockwork(
                TASK,
                improve,
                search_plan(places, pipelined=pipelined, rows=rows, iterations=iterations),
                places,
            ).play()
            for pipelined in (True, False)
        )
        efficiencies.append(together.ideal(places) / together.seconds)
        speedups.append(one_by_one.seconds / together.seconds)
        print(
            f"pipeline   {places}: {together.seconds:.0f} s, at best {together.ideal(places):.0f} s "
            f"(efficiency {efficiencies[-1]:.3f}), {speedups[-1]:.2f} x faster than without overlap"
        )
    return min(efficiencies), speedups[0]


def main() -> None:
    """Measure both sides and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--reference-iterations", type=int, default=1000)
    options = parser.parse_args()
    runs = [measure("ours", ours, options.rows, options.iterations) for _ in range(3)]
    theirs, _ = measure("reference", reference, options.rows, options.reference_iterations)
    # The reference takes ten times as long, so that what else the machine does evens out: ours is measured
    # on both sides of it, and the middle one counts.
    runs += [measure("ours", ours, options.rows, options.iterations) for _ in range(2)]
    cpu, flatness = (statistics.median(figures) for figures in zip(*runs, strict=True))
    efficiency, speedup = pipelines(options.rows, options.iterations)
    replay_s = replaying(options.rows)
    figures = {
        "engine_cpu_ms": round(cpu, 3),
        "engine_flatness": round(flatness, 3),
        "engine_ratio": round(theirs / cpu, 2),
        "pipeline_efficiency": round(efficiency, 3),
        "pipeline_speedup": round(speedup, 2),
        "replay_s": round(replay_s, 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
