"""A small journal with everything in it that makes a difference on a disk."""

from __future__ import annotations

import functools
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import attrs

from gepa_framework.builtin.sqlite_store import FILE_NAME, SqliteStore
from gepa_framework.types import Candidate, FailureKind, RolloutFailure, RolloutResult, Usage
from gepa_framework.types.events import CandidateRegistered, RolloutCompleted
from gepa_framework.workspace import START, Journal, Record, Stored, blob_digest, encode_outcome

META = {"run_id": "r1", "config_text": "[run]", "plugins_lock": "{}"}
_SEED = Candidate.of({"prompt": "seed"})
_TRIED = RolloutFailure(FailureKind.TIMEOUT, "slow", "took 3 s", retryable=True, usage=Usage(1, 2, 3, 0.25))


@functools.cache
def record(number: int) -> Record:
    """Give a record: every fifth after a failed attempt, every seventh with a text of several pages."""
    if number == 0:
        seed = CandidateRegistered(_SEED.id, (), 0, "seed", _SEED.components, (), "")
        return Record(START, 0, (seed,))
    row = f"train:{number}"
    given = encode_outcome(
        RolloutResult(0.5, usage=Usage(3, 4, 7, 0.125)), f"rollout/0/full/{_SEED.id}/{row}"
    )
    event = RolloutCompleted(_SEED.id, row, "seed_full_train", 0, number / 100, {"brevity": 1.0}, 0.125, 7)
    text = f"{number} " * 3000 if number % 7 == 0 else str(number)
    tried = (_TRIED,) if number % 5 == 0 else ()
    return Record(given, number * 1000, (event,), f"{number:064x}", tried, blobs={blob_digest(text): text})


def batches(commits: int) -> Iterator[list[Record]]:
    """Give what is committed together: one record, two, three, one, …"""
    number = 0
    for commit in range(commits):
        size = 1 + commit % 3
        yield [record(each) for each in range(number, number + size)]
        number += size


def opened(directory: Path) -> Journal:
    return Journal.open(SqliteStore(directory / FILE_NAME))


def begun(directory: Path) -> Journal:
    return Journal.create(SqliteStore(directory / FILE_NAME), META)


@attrs.frozen
class Whole:
    """A journal as it should be.

    Attributes:
        stored: All that is in it.
        ends: How many inputs there were after each commit.
    """

    stored: Sequence[Stored]
    ends: frozenset[int]

    @classmethod
    def of(cls, directory: Path, commits: int) -> Whole:
        sizes = [len(batch) for batch in batches(commits)]
        with closing(opened(directory)) as journal:
            stored = tuple(journal.load())
        assert len(stored) == sum(sizes)
        return cls(stored, frozenset(sum(sizes[:count]) for count in range(len(sizes) + 1)))


def without_views(sql: str) -> str:
    """Leave the views out of a schema: nothing is written to them, and each opening has to parse them."""
    return re.sub(r"CREATE VIEW .*?;\n", "", sql, flags=re.DOTALL)


def drop_views(directory: Path) -> None:
    """Do the same to a journal that is there."""
    with closing(sqlite3.connect(directory / FILE_NAME)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
            database.execute(f"DROP VIEW {name}")
        database.commit()
