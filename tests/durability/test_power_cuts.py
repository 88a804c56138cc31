from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.durability import journals
from tests.durability.platter import Cut, Name, Op, Sync, SyncNames, cuts
from tests.durability.recorder import Recorder
from tests.durability.states import restore

from gepa_framework.builtin.sqlite_store import FILE_NAME
from gepa_framework.errors import GepaError

pytestmark = pytest.mark.timeout(300)

_COMMITS = 41
#: States by chance for each operation.
_CHANCES = 5
#: States for each operation in which a journal is begun again where there is none yet.
_BEGUN_AFTER = 2


def recorded(recorder: Recorder) -> journals.Whole:
    """Begin a journal, commit, close and open it twice meanwhile, and give what must be in it."""
    root = recorder.root
    with recorder.watching():
        journal = journals.begun(root)
        recorder.told(0)
        for number, batch in enumerate(journals.batches(_COMMITS)):
            if number in (15, 30):
                journal.close()
                journal = journals.opened(root)
            journal.commit(batch)
            recorder.told(journal.inputs)
        journal.close()
    return journals.Whole.of(root, _COMMITS)


def fault(cut: Cut, whole: journals.Whole, directory: Path) -> str:
    """Say what is wrong with what a power cut left; empty where nothing is."""
    restore(cut.left, directory)
    if cut.told < 0 and not (directory / FILE_NAME).exists():
        if cut.seed > _BEGUN_AFTER:
            return ""
        # Nobody was told of a journal yet: it can be begun as if nothing had been.
        with closing(journals.begun(directory)) as journal:
            journal.commit([journals.record(0)])
        return "" if len(journals.Whole.of(directory, 1).stored) == 1 else "begun twice"
    try:
        with closing(journals.opened(directory)) as journal:
            stored = tuple(journal.load())
            ((sound,),) = journal._store._db.execute("PRAGMA integrity_check").fetchall()
            for sha256 in (name for each in range(len(stored)) for name in journals.record(each).blobs):
                journal.blob(sha256)
    except GepaError as error:
        return f"does not open: {error}"
    if stored != whole.stored[: len(stored)] or len(stored) not in whole.ends:
        return "half a transaction"
    if len(stored) < cut.told:
        return f"{cut.told} inputs were acknowledged and {len(stored)} are there"
    return "" if sound == "ok" else sound


def faults(log: list[Op], whole: journals.Whole, directory: Path) -> Iterator[str]:
    """Give what is wrong after each power cut, with what reproduces it; empty where nothing is."""
    for cut in cuts(log, _CHANCES):
        said = fault(cut, whole, directory)
        yield f"after operation {cut.at} ({log[cut.at - 1]}), chance {cut.seed}: {said}" if said else ""


def first_fault(log: list[Op], whole: journals.Whole, directory: Path) -> str:
    return next(filter(None, faults(log, whole, directory)), "")


@pytest.fixture
def recorder(quick: Path) -> Recorder:
    (quick / "run").mkdir()
    recorder = Recorder(quick / "run")
    recorder.spoil = journals.without_views
    return recorder


def test_a_power_cut_takes_no_acknowledged_commit_and_leaves_no_half_one(
    quick: Path, recorder: Recorder
) -> None:
    whole = recorded(recorder)
    found = list(faults(recorder.log, whole, quick / "left"))
    assert [said for said in found if said] == []
    assert len(found) >= 3000


@pytest.mark.parametrize("mode", ["NORMAL", "OFF"])
def test_a_journal_that_is_synced_less_is_caught(quick: Path, recorder: Recorder, mode: str) -> None:
    full = recorder.spoil
    recorder.spoil = lambda sql: full(sql).replace("synchronous=FULL", f"synchronous={mode}")
    whole = recorded(recorder)
    assert first_fault(recorder.log, whole, quick / "left")


def test_a_log_that_is_never_synced_is_caught(quick: Path, recorder: Recorder) -> None:
    whole = recorded(recorder)
    logs = {op.file for op in recorder.log if isinstance(op, Name) and op.path.endswith("-wal")}
    log = [op for op in recorder.log if not (isinstance(op, Sync) and op.file in logs)]
    assert "were acknowledged" in first_fault(log, whole, quick / "left")


def test_a_name_that_is_never_synced_is_caught(quick: Path, recorder: Recorder) -> None:
    whole = recorded(recorder)
    log = [op for op in recorder.log if not isinstance(op, SyncNames)]
    assert "does not open" in first_fault(log, whole, quick / "left")
