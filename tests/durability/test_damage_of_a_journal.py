from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.durability import journals
from tests.durability.damage import findings, flips, truncations

from gepa_framework.app.guards import GuardedStore
from gepa_framework.builtin.sqlite_store import FILE_NAME, SqliteStore
from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace import Feed, Journal, Marker, check_end

pytestmark = pytest.mark.timeout(300)

_FLIPS = 1000
#: The commit after which the mark was moved last.
_MARKED = 30
_LOG_HEADER, _FRAME_HEADER, _PAGE = 32, 24, 4096


def read(run_dir: Path) -> object:
    """Give all that a journal holds, as `gepa resume` reads it."""
    with closing(opened(run_dir)) as journal:
        return held(run_dir, journal)


def verified(run_dir: Path) -> object:
    """Give all that a journal holds, as `gepa verify` reads it."""
    with closing(opened(run_dir)) as journal:
        return held(run_dir, journal), journal.check()


def opened(run_dir: Path) -> Journal:
    return Journal.open(GuardedStore("sqlite", SqliteStore(run_dir / FILE_NAME)), readonly=True)


def held(run_dir: Path, journal: Journal) -> object:
    journal.check_meta()
    check_end(run_dir, journal)
    return tuple(journal.load()), journal.meta()


def test_a_flipped_bit_of_the_database_is_found_or_harmless(run_dir: Path) -> None:
    found = findings(flips(run_dir / FILE_NAME, _FLIPS), lambda: verified(run_dir))
    assert found.silent == []
    assert found.count == _FLIPS


def test_a_database_that_ends_too_soon_is_found(run_dir: Path) -> None:
    path = run_dir / FILE_NAME
    ends = range(0, path.stat().st_size, _PAGE // 4)
    found = findings(truncations(path, ends), lambda: verified(run_dir), str(run_dir))
    assert found.silent == []
    assert found.harmless == 0


@pytest.fixture
def killed(quick: Path) -> Path:
    """Give the directory of a run that was killed: what it did last is in the log of its database."""
    run_dir, left = quick / "run", quick / "left"
    run_dir.mkdir()
    journals.begun(run_dir).close()
    journals.drop_views(run_dir)
    with closing(journals.opened(run_dir)) as journal, closing(Feed(run_dir, journal)) as feed:
        for number, batch in enumerate(journals.batches(60)):
            feed.write(journal.commit(batch))
            if number == _MARKED:
                Marker(run_dir, journal).close()
        shutil.copytree(run_dir, left)
    return left


def frames(log: bytes) -> Iterator[tuple[int, bool]]:
    """Give where each frame of a log ends, and whether a transaction does."""
    for at in range(_LOG_HEADER, len(log), _FRAME_HEADER + _PAGE):
        yield at + _FRAME_HEADER + _PAGE, struct.unpack_from(">I", log, at + 4)[0] > 0


def test_a_flipped_bit_of_the_log_is_found_or_harmless(killed: Path) -> None:
    found = findings(flips(killed / f"{FILE_NAME}-wal", _FLIPS), lambda: read(killed), "events.jsonl")
    assert found.silent == []
    assert found.count == _FLIPS


def test_a_log_that_ends_too_soon_is_found(killed: Path) -> None:
    log = killed / f"{FILE_NAME}-wal"
    ends = [0, _LOG_HEADER, *(end for end, _ in frames(log.read_bytes()))]
    found = findings(truncations(log, ends), lambda: read(killed), "events.jsonl")
    assert found.silent == []
    assert found.count >= 500


def test_a_log_that_is_gone_is_found(killed: Path) -> None:
    (killed / f"{FILE_NAME}-wal").unlink()
    with pytest.raises(WorkspaceError, match="has lost rows"):
        read(killed)


def test_without_feeds_the_mark_shows_that_the_end_is_lost(killed: Path) -> None:
    for name in ("events.jsonl", "events.normalized.jsonl"):
        (killed / name).unlink()
    log = killed / f"{FILE_NAME}-wal"
    ends = [end for end, last in frames(log.read_bytes()) if last]
    found = findings(truncations(log, ends[:_MARKED]), lambda: read(killed), "journal.mark")
    assert found.silent == []
    assert found.harmless == 0


@pytest.mark.parametrize("name", ["events.jsonl", "events.normalized.jsonl", "journal.mark"])
def test_a_run_goes_on_whatever_the_power_left_of_what_was_not_synced(killed: Path, name: str) -> None:
    for content in (b"", b"\0" * 384, b"\0" * 5000):
        (killed / name).write_bytes(content)
        assert read(killed)
