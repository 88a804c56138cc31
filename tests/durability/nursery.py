"""Runs of which each is killed at one place and resumed; prints what became of them as JSON.

A process of its own, so that its children are forked from one thread and imports are paid once.
"""

from __future__ import annotations

import functools
import json
import os
import sqlite3
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "distributions"))

from gepa_framework import GepaRun
from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace import Journal

CONFIG = """
[run]
run_id = "killed"
seed = 3
[container]
transport = "fake"
log = "asked.log"
delay_seconds = {delay}
failing_share = {failing}
[dataset]
train_seeds = "0-9"
heldout_seeds = "100-104"
[proposer]
backend = "fake"
[cache]
mode = "off"
[gepa]
minibatch_size = 3
max_generations = 12
max_total_rollouts = 400
rollout_failure_rate_tolerance = 1.0
retry_backoff_seconds = 0.001
{more}
"""


def in_child(work) -> int:
    """Do something in a child and give how it ended."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            work()
            code = 0
        except Exception:  # noqa: BLE001 - whatever it was, the child must not go on as the parent
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def start(directory: Path, failpoint: str) -> None:
    os.environ["GEPA_FAILPOINT"] = failpoint
    GepaRun.from_toml(directory / "gepa.toml").execute()


def resume(directory: Path, failpoint: str) -> None:
    os.environ["GEPA_FAILPOINT"] = failpoint
    if (directory / "runs" / "killed" / "workspace.sqlite").exists():
        GepaRun.resume(directory / "runs" / "killed").execute()
    else:
        start(directory, failpoint)


def extend(directory: Path, failpoint: str, limit: int) -> None:
    """Raise the limit, unless that is on record already, and go on."""
    os.environ["GEPA_FAILPOINT"] = failpoint
    run = GepaRun.resume(directory / "runs" / "killed")
    argument = f"gepa.max_generations={limit}"
    if argument not in run.extensions:
        run = GepaRun.resume(directory / "runs" / "killed", extend=[argument])
    run.execute()


def journalled(directory: Path) -> set[str]:
    path = directory / "runs" / "killed" / "workspace.sqlite"
    if not path.exists():
        return set()
    database = sqlite3.connect(path)
    try:
        rows = database.execute("SELECT effect_id FROM inputs WHERE kind IN ('rollout', 'rollout_failure')")
        return {row[0].split("/", 1)[1] for row in rows}
    finally:
        database.close()


def unkept(directory: Path) -> list[str]:
    """Give what is wrong with the requests that are on record: each is kept under its digest."""
    path = directory / "runs" / "killed" / "workspace.sqlite"
    journal = Journal.open(SqliteStore(path), readonly=True)
    try:
        started = [json.loads(line.body) for line in journal.lines() if line.type == "proposer.started"]
        missing = []
        for body in started:
            try:
                journal.blob(body["request_digest"])
            except WorkspaceError as error:
                missing.append(str(error))
        return missing if started else ["no proposal"]
    finally:
        journal.close()


def apart(directory: Path) -> list[str]:
    """Give the texts that are kept by themselves, in an order of their own."""
    database = sqlite3.connect(directory / "runs" / "killed" / "workspace.sqlite")
    try:
        return sorted(body for (body,) in database.execute("SELECT body FROM blobs"))
    finally:
        database.close()


def asked(directory: Path) -> list[str]:
    path = directory / "asked.log"
    return path.read_text().splitlines() if path.exists() else []


def ids(effects: set[str]) -> set[str]:
    from gepa_framework.runtime.attempts import rollout_id

    return {rollout_id("killed", f"rollout/{effect}", 1) for effect in effects}


def one(directory: Path, config: str, failpoints: list[str], limit: int) -> dict[str, object]:
    directory.mkdir(parents=True)
    (directory / "gepa.toml").write_text(config)
    repeated: list[str] = []
    ends = []
    stages = [(start if number == 0 else resume, each) for number, each in enumerate([*failpoints, ""])]
    if limit:
        raised = functools.partial(extend, limit=limit)
        stages = [(start, ""), *((raised, each) for each in [*failpoints, ""])]
    for work, failpoint in stages:
        known, before = ids(journalled(directory)), len(asked(directory))
        ends.append(in_child(lambda work=work, failpoint=failpoint: work(directory, failpoint)))
        repeated += [line for line in asked(directory)[before:] if line.split()[0] in known]
    run = directory / "runs" / "killed"
    return {
        "failpoints": failpoints,
        "ends": ends,
        "repeated": repeated,
        "normalised": (run / "events.normalized.jsonl").read_text(),
        "effects": sorted(journalled(directory)),
        "unkept": unkept(directory),
        "texts": apart(directory),
        "asked": len(asked(directory)),
        "proved": GepaRun.verify(run).to_dict()["status"],
    }


def main() -> None:
    base, spec = Path(sys.argv[1]), json.loads(sys.argv[2])
    config = CONFIG.format(delay=spec["delay"], failing=spec["failing"], more=spec["more"])
    reports = [
        one(base / str(number), config, failpoints, spec["limit"])
        for number, failpoints in enumerate(spec["cases"])
    ]
    print(json.dumps(reports))


if __name__ == "__main__":
    main()
