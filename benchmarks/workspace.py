"""What the record of a run costs: bytes, syncs, commits, and the time to look at it.

The runs are real ones, by the engine and its driver, of a task that costs next to nothing; what is measured
is what the workspace takes. The last line is JSON:

* ``bytes_per_rollout``: bytes on disk of a run's directory per rollout, its payload of 1 kB not counted.
* ``fsyncs_per_batch``: syncs of the process per batch of completions, over a whole run of 16 iterations at
  once and rollouts that take 2 ms ± 50 %; a batch is what comes in in one turn of the event loop.
* ``fsyncs_per_commit``: syncs of the process per commit, over a whole run of rollouts that take no time, so
  that nothing can come in while a commit is under way; with those that SQLite makes for its log and for the
  database, and those that begin and end a run.
* ``batch_rate``: completions per second that are journalled in batches of 100.
* ``single_ratio``: rate of completions that are journalled one by one, over the rate at which bare SQLite
  commits rows of the same size one by one on the same disk. Both take turns.
* ``flatness``: CPU per rollout of the last tenth of a run of 100,000 rollouts over that of the second tenth.
* ``status_ms``: milliseconds that `workspace_status` takes for that run, the median of several.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from engine import ONE_AT_A_TIME, Ladder, Stopwatch, drive
from virtual_time import Places

from gepa_framework import workspace_status
from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.engine import Machine
from gepa_framework.runtime import Driver
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import FREE, RolloutOutcome, RolloutRequest, RolloutResult, TaskRow
from gepa_framework.types.events import RolloutCompleted
from gepa_framework.workspace import Feed, Journal, Record, encode_outcome

HERE = Path(__file__).parent
PAYLOAD = 1024
BATCH = 100
META = {"run_id": "bench", "config_text": "", "config_file": "gepa.toml", "sets": "[]"}


class Wordy(Ladder):
    """The task of the engine's benchmark, with a container that has a kilobyte to say."""

    def solve(self, text: str, row: TaskRow) -> RolloutResult:
        """Score a candidate's text on a row."""
        result = super().solve(text, row)
        said = f"{row.id} {result.reward} ".ljust(PAYLOAD, ".")
        return RolloutResult(result.reward, output=said, feedback=row.data, usage=FREE)


def run(directory: Path, task: Ladder, rollouts: int, stopwatch: Stopwatch | None = None) -> Machine:
    """Run the engine in a directory until so many rollouts are spent."""
    return asyncio.run(drive(directory, 100, 10**9, stopwatch or Stopwatch(), rollouts, task=task, meta=META))


def size(directory: Path) -> int:
    """Give the bytes of a directory's files."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def bytes_per_rollout(rollouts: int) -> float:
    """Give the bytes that a rollout takes beside its payload."""
    with tempfile.TemporaryDirectory(prefix="gepa-bench-") as place:
        done = run(Path(place), Wordy(topics=50), rollouts).run.ledger.rollouts
        each = size(Path(place)) / done - PAYLOAD
    print(f"{'bytes':10} {done} rollouts with {PAYLOAD} bytes of payload: {each:.0f} bytes each beside it")
    return each


def fsyncs(rollouts: int, milliseconds: float) -> tuple[float, float]:
    """Give the syncs of a run per commit and per batch, counted by a library put before the C library."""
    with tempfile.TemporaryDirectory(prefix="gepa-bench-") as place:
        library, count = Path(place, "syncs.so"), Path(place, "count")
        build = ["cc", "-O1", "-shared", "-fPIC", "-o", library, HERE / "syncs.c", "-ldl"]
        subprocess.run(build, check=True)
        environ = {**os.environ, "LD_PRELOAD": str(library), "SYNCS": str(count)}
        child = [sys.executable, __file__, "--only-run", str(rollouts), "--milliseconds", str(milliseconds)]
        done = subprocess.run(child, env=environ, check=True, capture_output=True, text=True)
        commits, batches = map(int, done.stdout.split())
        syncs = int(count.read_text())
    what = f"{syncs} for {commits} commits of {batches} batches"
    print(f"{'syncs':10} {what}, rollouts of {milliseconds:g} ms")
    return syncs / commits, syncs / batches


class Distant(FakeTransport):
    """Takes its time over each rollout, more for some rows than for others."""

    def __init__(self, task: Ladder, seconds: float) -> None:
        super().__init__(task)
        self._seconds = seconds

    async def rollout(self, request: RolloutRequest) -> RolloutOutcome:
        """Wait, then answer."""
        if self._seconds:
            await asyncio.sleep(self._seconds * (0.5 + random.Random(request.rollout_id).random()))
        return await super().rollout(request)


def _count(rollouts: int, seconds: float) -> None:
    """Run the engine and print how often it committed, and how many batches came in."""
    counts = Counter[str]()
    commit, arrive = Journal.commit, Driver._arrive  # noqa: SLF001 - where completions come in

    def committed(journal: Journal, records: list[Record]) -> object:
        counts["commits"] += 1
        return commit(journal, records)

    def arrived(driver: Driver, arrival: object) -> None:
        if not counts["came"]:
            counts["batches"] += 1
            asyncio.get_running_loop().call_soon(counts.pop, "came")
        counts["came"] = 1
        arrive(driver, arrival)  # type: ignore[arg-type]

    Journal.commit = committed  # type: ignore[method-assign, assignment]
    Driver._arrive = arrived  # type: ignore[method-assign]  # noqa: SLF001
    task = Ladder(topics=50)
    overlap = Places(16, 64, 16) if seconds else ONE_AT_A_TIME
    with tempfile.TemporaryDirectory(prefix="gepa-bench-") as place:
        transport = Distant(task, seconds)
        asyncio.run(
            drive(
                *(Path(place), 100, 10**9, Stopwatch(), rollouts),
                task=task,
                meta=META,
                transport=transport,
                overlap=overlap,
            )
        )
    print(counts["commits"], counts["batches"])


def _completions(name: str) -> Iterator[Record]:
    number = 0
    while True:
        number += 1
        result = RolloutResult(0.5, output=f"{number} ".ljust(PAYLOAD, "."), usage=FREE)
        event = RolloutCompleted(
            "gepa_0123456789ab", f"train:{number}", "candidate_full_train", 7, 0.5, {}, 0.0, 0
        )
        given = encode_outcome(result, f"rollout/7/{name}/gepa_0123456789ab/train/{number}")
        yield Record(given, number, (event,), "ab" * 32, outcome=result)


def batch_rate(count: int) -> float:
    """Give the completions that are journalled in a second, a hundred at a time."""
    with tempfile.TemporaryDirectory(prefix="gepa-bench-") as place:
        journal, feed = Journal.create(SqliteStore(Path(place, "workspace.sqlite")), {}), Feed(Path(place))
        records = _completions("batch")
        began = time.perf_counter()
        for _ in range(count // BATCH):
            feed.write(journal.commit([next(records) for _ in range(BATCH)]))
        seconds = time.perf_counter() - began
        journal.close()
        feed.close()
    print(f"{'batches':10} {count} completions, {BATCH} at a time: {count / seconds:.0f} per second")
    return count / seconds


def single_ratio(count: int, turns: int) -> float:
    """Give the rate of journalling one by one over that of bare SQLite, which take turns."""
    with tempfile.TemporaryDirectory(prefix="gepa-bench-") as place:
        journal = Journal.create(SqliteStore(Path(place, "workspace.sqlite")), {})
        bare = sqlite3.connect(Path(place, "bare.sqlite"), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            bare.execute(f"PRAGMA {pragma}")
        bare.execute("CREATE TABLE completions (position INTEGER PRIMARY KEY, payload TEXT NOT NULL)")
        records = _completions("single")
        payload = next(records).given.payload + "." * 512  # digests, chain, ids and event are bytes too

        def ours() -> None:
            journal.commit([next(records)])

        def theirs() -> None:
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("INSERT INTO completions (payload) VALUES (?)", (payload,))
            bare.execute("COMMIT")

        rates = [(_rate(ours, count), _rate(theirs, count)) for _ in range(turns)]
        journal.close()
        bare.close()
    mine, bare_rate = (statistics.median(side) for side in zip(*rates, strict=True))
    print(f"{'singles':10} {mine:.0f} per second, bare SQLite {bare_rate:.0f} per second")
    return statistics.median(ours / theirs for ours, theirs in rates)


def _rate(act: Callable[[], None], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        act()
    return count / (time.perf_counter() - began)


def long_run(rollouts: int) -> tuple[float, float]:
    """Give flatness and the milliseconds of a status of a long run."""
    with tempfile.TemporaryDirectory(prefix="gepa-bench-") as place:
        stopwatch = Stopwatch()
        began = time.process_time()
        done = run(Path(place), Ladder(topics=50), rollouts, stopwatch).run.ledger.rollouts
        each = (time.process_time() - began) / done
        spans = [after - before for before, after in zip(stopwatch.marks, stopwatch.marks[1:], strict=False)]
        tenth = len(spans) // 10
        flat = statistics.fmean(spans[-tenth:]) / statistics.fmean(spans[tenth : 2 * tenth])
        times = [_status_seconds(Path(place)) for _ in range(9)]
        print(
            f"{'long run':10} {done} rollouts: {each * 1e6:.0f} us CPU each, {size(Path(place)) / done:.0f} "
            f"bytes each, status {min(times) * 1e3:.1f} to {max(times) * 1e3:.1f} ms"
        )
    return flat, statistics.median(times) * 1e3


def _status_seconds(run_dir: Path) -> float:
    began = time.perf_counter()
    status = workspace_status(run_dir)
    seconds = time.perf_counter() - began
    assert status["runs"][0]["rollout_status_counts"]
    return seconds


def main() -> None:
    """Measure everything and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rollouts", type=int, default=100_000, help="of the long run")
    parser.add_argument("--only-run", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--milliseconds", type=float, default=0.0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_run:
        _count(options.only_run, options.milliseconds / 1e3)
        return
    each = bytes_per_rollout(10_000)
    per_commit, _ = fsyncs(10_000, 0.0)
    _, per_batch = fsyncs(10_000, 2.0)
    rate = batch_rate(20_000)
    ratio = single_ratio(300, 7)
    flat, status_ms = long_run(options.rollouts)
    figures = {
        "bytes_per_rollout": round(each),
        "fsyncs_per_batch": round(per_batch, 3),
        "fsyncs_per_commit": round(per_commit, 3),
        "batch_rate": round(rate),
        "single_ratio": round(ratio, 2),
        "flatness": round(flat, 2),
        "status_ms": round(status_ms, 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
