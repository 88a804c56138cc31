from __future__ import annotations

import itertools
import shutil
from contextlib import closing
from pathlib import Path

import apsw
import attrs
import pytest
from tests.durability import journals
from tests.durability.recorder import Recorder

from gepa_framework.builtin.sqlite_store import FILE_NAME
from gepa_framework.errors import WorkspaceError

# A second failure, while SQLite deals with the first, has nobody who could be told of it.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(300),
]

_COMMITS = 8
_CODES = {
    "open": apsw.SQLITE_CANTOPEN,
    "read": apsw.SQLITE_IOERR_READ,
    "write": apsw.SQLITE_IOERR_WRITE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "delete": apsw.SQLITE_IOERR_DELETE,
}


@attrs.define
class Failing:
    """Fails at one call of one sort, and at those after it that a disk would fail at as well.

    Attributes:
        operation: The sort.
        at: Which call of it, from 1.
        lasting: Whether all later ones fail too.
        met: Calls so far.
    """

    operation: str
    at: int
    lasting: bool
    met: int = 0

    def __call__(self, operation: str, name: str) -> None:
        if operation == self.operation:
            self.met += 1
            if self.met == self.at or (self.lasting and self.met > self.at):
                raise apsw.exception_for(_CODES[operation])


@pytest.fixture
def recorder(quick: Path) -> Recorder:
    (quick / "run").mkdir()
    recorder = Recorder(quick / "run")
    recorder.spoil = journals.without_views
    return recorder


def work(root: Path, acknowledged: list[int]) -> None:
    """Begin a journal or go on with one, to its end; note how many inputs were acknowledged."""
    isnew = not (root / FILE_NAME).exists()
    with closing(journals.begun(root) if isnew else journals.opened(root)) as journal:
        done = 0
        for batch in journals.batches(_COMMITS):
            done += len(batch)
            if done > journal.inputs:
                journal.commit(batch)
            acknowledged.append(journal.inputs)


def fault(recorder: Recorder, failing: Failing) -> str:
    """Say what is wrong after a call failed; empty where nothing is."""
    root, acknowledged = recorder.root, [0]
    recorder.fault = failing
    try:
        with recorder.watching():
            work(root, acknowledged)
    except WorkspaceError as error:
        if str(root) not in error.message:
            return f"an error that names no file: {error}"
    recorder.fault = lambda operation, name: None
    before = acknowledged[-1]
    if (root / FILE_NAME).exists():
        with closing(journals.opened(root)) as journal:
            there = len(list(journal.load()))
        if there < before:
            return f"{before} inputs were acknowledged and {there} are there"
    elif before:
        return "the journal is gone"
    work(root, acknowledged)
    return "" if len(journals.Whole.of(root, _COMMITS).stored) == acknowledged[-1] else "it did not go on"


def faults(recorder: Recorder, operation: str, *, lasting: bool) -> list[str]:
    """Let each call of a sort fail until there are no more of them; give what is wrong."""
    said = []
    for at in itertools.count(1):
        shutil.rmtree(recorder.root)
        recorder.root.mkdir()
        failing = Failing(operation, at, lasting)
        if what := fault(recorder, failing):
            said.append(f"{operation} {at}: {what}")
        if failing.met < at:
            assert at > 1
            return said
    return said


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("operation", sorted(_CODES))
def test_a_disk_that_fails_loses_nothing_that_was_acknowledged(
    recorder: Recorder, operation: str, *, lasting: bool
) -> None:
    assert faults(recorder, operation, lasting=lasting) == []
