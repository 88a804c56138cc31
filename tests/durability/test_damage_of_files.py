from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.durability.damage import Damage, findings, flips, truncations

from gepa_framework import GepaRun
from gepa_framework.app.chronicle import Chronicle
from gepa_framework.app.export_proof import ExportProof
from gepa_framework.app.feed_proof import FeedProof, FeedsHeld
from gepa_framework.app.history import History
from gepa_framework.app.record_proof import hold_records
from gepa_framework.builtin.cache_file import CacheFile, Entry
from gepa_framework.errors import CacheCorruptError, GepaError, WorkspaceError
from gepa_framework.workspace import check_end

pytestmark = pytest.mark.timeout(300)

_FLIPS = 1000
_FEEDS = ("events.jsonl", "events.normalized.jsonl")
_EXPORTS = (
    "best_candidate.json",
    "cache_profile.json",
    "candidate_registry.json",
    "frontier.json",
    "result_manifest.json",
    "score_chart.svg",
)
_RECORDS = ("plugins.lock.json", "store.json")


@pytest.fixture
def history(run_dir: Path) -> History:
    return History.read(run_dir)


@pytest.fixture
def hold_feeds(run_dir: Path, history: History) -> Callable[[], object]:
    with closing(history.journal()) as journal:
        lines = tuple(journal.lines())

    return lambda: FeedsHeld.judge(FeedProof(run_dir).hold(lines), len(lines), over=True)


@pytest.fixture
def hold_exports(run_dir: Path, history: History) -> Callable[[], object]:
    machine, chronicle = history.machine(), Chronicle()
    with closing(history.journal()) as journal:
        for event in history.replay(machine, journal):
            chronicle.on_event(event)
        events = journal.events

    def hold() -> None:
        proof = ExportProof.read(run_dir)
        proof.hold(history, machine, chronicle)
        proof.settle(events, over=True)

    return hold


@pytest.mark.parametrize("name", _FEEDS)
def test_a_flipped_bit_of_a_feed_is_found(run_dir: Path, hold_feeds: Callable[[], object], name: str) -> None:
    found = findings(flips(run_dir / name, _FLIPS), hold_feeds)
    assert found.silent == []
    assert (found.found, found.harmless) == (_FLIPS, 0)


@pytest.mark.parametrize("name", _FEEDS)
def test_a_feed_that_ends_too_soon_is_found(
    run_dir: Path, hold_feeds: Callable[[], object], name: str
) -> None:
    content = (run_dir / name).read_bytes()
    ends = [place for place, byte in enumerate(content) if byte == ord("\n")]
    found = findings(truncations(run_dir / name, [0, *ends]), hold_feeds)
    assert found.silent == []
    assert found.harmless == 0


@pytest.mark.parametrize("name", _EXPORTS)
def test_a_flipped_bit_of_an_export_is_found(
    run_dir: Path, hold_exports: Callable[[], object], name: str
) -> None:
    count = _FLIPS if name == "result_manifest.json" else _FLIPS // 4
    found = findings(flips(run_dir / name, count), hold_exports, "result_manifest" if "cache" in name else "")
    assert found.silent == []
    assert (found.found, found.harmless) == (count, 0)


@pytest.mark.parametrize("name", _RECORDS)
def test_a_flipped_bit_of_what_a_run_was_begun_with_is_found(
    run_dir: Path, history: History, name: str
) -> None:
    found = findings(flips(run_dir / name, _FLIPS), lambda: hold_records(history, over=True))
    assert found.silent == []
    assert (found.found, found.harmless) == (_FLIPS, 0)


def test_a_flipped_bit_of_the_mark_is_found(run_dir: Path, history: History) -> None:
    with closing(history.journal()) as journal:
        found = findings(flips(run_dir / "journal.mark", _FLIPS), lambda: check_end(run_dir, journal))
    assert found.silent == []
    assert (found.found, found.harmless) == (_FLIPS, 0)


@pytest.mark.parametrize("name", ["journal.mark", *_FEEDS, *_EXPORTS, *_RECORDS])
def test_a_verification_looks_at_every_file(run_dir: Path, name: str) -> None:
    (damage,) = flips(run_dir / name, 1, seed=4)
    damage.path.write_bytes(damage.content)
    with pytest.raises(GepaError, match=name):
        GepaRun.verify(run_dir)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP VIEW rollouts", "a view is not that of schema"),
        ("CREATE INDEX more ON inputs (kind)", "a view is not that of schema"),
        ("UPDATE alembic_version SET version_num = '0001'", "a view is not that of schema 0001"),
        ("UPDATE checkpoints SET tallies = replace(tallies, '3', '4')", "checkpoint .* is not what was"),
        ("UPDATE checkpoints SET tallies = '{'", "checkpoint .* is not what was"),
        ("UPDATE checkpoints SET kind = 'interval'", "checkpoint .* is not what was"),
        ("UPDATE checkpoints SET elapsed_us = 0", "checkpoint .* is not what was"),
        ("INSERT INTO blobs VALUES ('ab', 'text')", "text ab is not what was"),
    ],
)
def test_a_verification_looks_beyond_the_chain(run_dir: Path, statement: str, said: str) -> None:
    with closing(sqlite3.connect(run_dir / "workspace.sqlite")) as database:
        database.execute(statement)
        database.commit()
    with pytest.raises(WorkspaceError, match=f"workspace.sqlite: .*{said}"):
        GepaRun.verify(run_dir)


def test_a_verification_looks_at_the_indexes(run_dir: Path) -> None:
    path = run_dir / "workspace.sqlite"
    with closing(sqlite3.connect(path)) as database:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_meta_1'"
        (page,) = database.execute(query).fetchone()
    content = path.read_bytes()
    start, end = (page - 1) * 4096, page * 4096
    assert b"framework" in content[start:end]
    path.write_bytes(content[:start] + content[start:end].replace(b"framework", b"framewerk") + content[end:])
    with pytest.raises(WorkspaceError, match=r"workspace.sqlite: .*index"):
        GepaRun.verify(run_dir)


@pytest.fixture
def cache(quick: Path) -> Path:
    path = quick / "cache.sqlite"
    with closing(CacheFile(path, 16)) as file:
        file.put_all(_ENTRIES)
    return path


_ENTRIES = [Entry("gepa:r1", f"{number:064x}", f"{number} ".encode() * 90) for number in range(40)]


def wrong(path: Path) -> list[str]:
    """Give the keys under which there is something that was not put there."""
    with closing(CacheFile(path, 16)) as file:
        found = {entry.key: file.get(entry.namespace, entry.key) for entry in _ENTRIES}
    return [entry.key for entry in _ENTRIES if found[entry.key] not in (None, entry.value)]


def cache_damages(path: Path) -> list[Damage]:
    ends = range(0, path.stat().st_size, 1024)
    return [*flips(path, _FLIPS), *truncations(path, ends)]


def test_a_damaged_cache_gives_no_wrong_value(cache: Path) -> None:
    found = findings(cache_damages(cache), lambda: wrong(cache))
    assert found.silent == []
    assert found.found > _FLIPS / 3


def test_a_value_that_changed_is_named(cache: Path) -> None:
    content = cache.read_bytes()
    cache.write_bytes(content.replace(_ENTRIES[7].value, _ENTRIES[7].value[:-1] + b"?"))
    with pytest.raises(CacheCorruptError, match=_ENTRIES[7].key):
        wrong(cache)
