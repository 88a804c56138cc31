"""Kills migrations of an old workspace before each of their statements; prints what is wrong, and figures."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from tests.durability.sweep.children import KILLED, in_child
from tests.durability.sweep.sweep import Sweep, directory, install, warm

from gepa_framework import GepaRun
from gepa_framework.workspace.database import REVISION, migrate, open_database

REVISIONS = tuple(f"{number:04}" for number in range(1, int(REVISION) + 1))
#: Of the statements that lead all the way, one in so many is fatal; no step has fewer.
_EACH = 4
#: What the first schema kept of a run: the columns of its tables.
_COLUMNS = {
    "meta": "key, value",
    "inputs": "position, kind, effect_id, request_digest, elapsed_us, payload, chain",
    "attempts": "effect_id, attempt, position, kind, code, message, http_status, prompt_tokens, "
    "completion_tokens, total_tokens, cost_usd",
    "events": "seq, position, type, elapsed_us, body, chain",
}


def connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def upgrade(path: Path, revision: str, fatal: int = 0) -> int:
    """Migrate, dying before a statement if its number is given; give how many there were."""
    count = 0

    def trace(_: str) -> None:
        nonlocal count
        count += 1
        if count == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    with closing(connected(path)) as connection:
        connection.set_trace_callback(trace)
        migrate(connection, revision)
    return count


def state(path: Path) -> tuple[str, list[tuple[object, ...]]]:
    """Give the revision that a database says it has, and what it is made of."""
    with closing(connected(path)) as connection:
        made = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        if ("table", "alembic_version") not in [row[:2] for row in made]:
            return "", made
        versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        return "".join(version for (version,) in versions), made


def as_of_the_first_schema(newer: Path, path: Path) -> None:
    """Write the journal of a run as the first release kept it."""
    upgrade(path, REVISIONS[0])
    with closing(connected(path)) as connection:
        connection.execute("ATTACH ? AS newer", (str(newer),))
        connection.execute("BEGIN")
        for table, columns in _COLUMNS.items():
            connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM newer.{table}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")


def steps(base: Path, oldest: Path) -> list[str]:
    """Kill every step from one schema to the next before each of its statements; give what is wrong."""
    problems = []
    before = base / "before.sqlite"
    cleared(before)
    with closing(connected(before)) as nothing:
        nothing.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    for old, new in pairwise(("", *REVISIONS)):
        if old == REVISIONS[0]:
            shutil.copyfile(oldest, before)
        after, work = base / "after.sqlite", base / "work.sqlite"
        shutil.copyfile(before, after)
        count = upgrade(after, new)
        whole = {state(before)[0]: state(before), state(after)[0]: state(after)}
        for fatal in range(1, count + 1):
            cleared(work)
            shutil.copyfile(before, work)
            end = in_child(lambda work=work, new=new, fatal=fatal: upgrade(work, new, fatal))
            found = state(work)
            if end != KILLED or whole.get(found[0]) != found:
                problems.append(f"{old} to {new}, killed before statement {fatal}: it is at {found[0]!r}")
            upgrade(work, new)
            if state(work) != whole[new]:
                problems.append(f"{old} to {new}, killed before statement {fatal}: it cannot be repeated")
            TRIED.append(f"{old} to {new}, statement {fatal}")
        shutil.copyfile(after, before)
    return problems


def all_the_way(base: Path, oldest: Path) -> list[str]:
    """Kill the migration from the first schema to the newest, as a resume makes it, before many statements.

    Whatever it comes to is a whole schema with every row; it can be read, and gone on with.
    """
    problems = []
    whole, work = {}, base / "work.sqlite"
    for revision in REVISIONS:
        shutil.copyfile(oldest, base / "step.sqlite")
        upgrade(base / "step.sqlite", revision)
        whole[revision] = state(base / "step.sqlite")
    rows = kept(oldest)
    shutil.copyfile(oldest, base / "step.sqlite")
    reached = set()
    # The last one goes on record with the last statement, and the others are tried one by one above.
    for fatal in range(upgrade(base / "step.sqlite", REVISION), 0, -_EACH):
        cleared(work)
        shutil.copyfile(oldest, work)
        end = in_child(lambda fatal=fatal: upgrade(work, REVISION, fatal))
        found = state(work)
        reached.add(found[0])
        where = f"all the way, killed before statement {fatal}"
        if end != KILLED or whole.get(found[0]) != found:
            problems.append(f"{where}: it is at {found[0]!r}")
        if kept(work) != rows:
            problems.append(f"{where}: its rows are not what they were")
        with closing(open_database(work)):
            pass
        if (state(work), kept(work)) != (whole[REVISION], rows):
            problems.append(f"{where}: it cannot be gone on with")
        TRIED.append(f"all the way, statement {fatal}")
    if reached != set(REVISIONS[:-1]):
        problems.append(f"it was killed at {sorted(reached)} alone")
    return problems


def kept(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Give what the first schema kept, of whatever schema it is now."""
    with closing(connected(path)) as connection:
        return {
            table: connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall()
            for table, columns in _COLUMNS.items()
        }


def cleared(path: Path) -> None:
    """Take a database away, with what SQLite would take for a part of the next one."""
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


TRIED: list[str] = []


def main() -> int:
    install()
    with directory() as name:
        base = Path(name)
        warm(base / "warm")
        sweep = Sweep("rough", base / "rough")
        database = sweep.run_dir / "workspace.sqlite"
        oldest = base / "oldest.sqlite"
        as_of_the_first_schema(database, oldest)
        problems = [*steps(base, oldest), *all_the_way(base, oldest)]
        # Half-way through its life, an old one is verified as it is, gone on with, and ends as any other.
        sweep.come_back()
        sweep.leg(lambda: sweep.die(sweep.points[len(sweep.points) // 2]))
        half = base / "half.sqlite"
        as_of_the_first_schema(database, half)
        for ending in ("-wal", "-shm"):
            database.with_name(database.name + ending).unlink(missing_ok=True)
        half.replace(database)
        GepaRun.verify(sweep.run_dir)
        if state(database)[0] != REVISIONS[0]:
            problems.append("what is only read was migrated")
        # The first schema kept no texts, and what it did not keep cannot be had back.
        problems += [problem for problem in sweep.finish() if not problem.startswith("texts")]
        if state(database)[0] != REVISION:
            problems.append("what is gone on with was not migrated")
    print(*problems, sep="\n")
    print(json.dumps({"tried": len(TRIED), "failed": len(problems)}))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
