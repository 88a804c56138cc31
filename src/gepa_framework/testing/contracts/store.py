"""What holds for every store of journals."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import attrs
import pytest

from gepa_framework.errors import GepaError, WorkspaceError
from gepa_framework.testing.contracts.info import CANARY, PluginInfoContract, build
from gepa_framework.testing.leaks import Traces
from gepa_framework.testing.samples import sample_rows
from gepa_framework.types import COLUMNS, BuildContext, Capability, JournalTable, Kind, Rows, Store

OpenStore: TypeAlias = "Callable[[], Store]"
META = {"run_id": "run-1", "schema": "1", "note": "é\n"}
_TABLES: tuple[JournalTable, ...] = ("inputs", "attempts", "events")


@contextmanager
def _begun(build_store: OpenStore, *transactions: int) -> Iterator[Store]:
    """Give a store that was created and appended to, and close it."""
    store = build_store()
    store.create(META)
    try:
        for number in transactions:
            store.append(sample_rows(number))
        yield store
    finally:
        store.close()


@contextmanager
def _opened(build_store: OpenStore, *, readonly: bool = False) -> Iterator[Store]:
    store = build_store()
    store.open(readonly=readonly)
    try:
        yield store
    finally:
        store.close()


class StoreContract(PluginInfoContract):
    """Tests of a store. Override `plugin`, and `config` where keys are needed."""

    kind = Kind.STORE
    covers = frozenset({Capability.PERSISTENT})

    @pytest.fixture
    def build_store(self, plugin: object, config: object, context: BuildContext) -> OpenStore:
        """Give what builds a new store, for the journal of the same run each time; its directory is there."""
        context.run_dir.mkdir(parents=True)
        return lambda: build(plugin, config, context)

    # -- beginning and finding a journal

    def test_a_journal_is_there_once_it_was_begun(self, build_store: OpenStore) -> None:
        """`exists` tells before anything is opened, to any store that is built for the run."""
        assert not build_store().exists()
        with _begun(build_store):
            assert build_store().exists()
        assert build_store().exists()

    def test_its_place_is_told_and_stays(self, build_store: OpenStore) -> None:
        """`location` says so at any time, in one line and without a secret."""
        before = build_store().location()
        with _begun(build_store) as store:
            assert store.location() == before
        assert before.strip()
        assert "\n" not in before
        assert CANARY not in before

    def test_asking_whether_it_is_there_makes_nothing(self, build_store: OpenStore) -> None:
        """Looking at a directory that is no run leaves it none."""
        assert [build_store().exists() for _ in range(2)] == [False, False]

    def test_a_second_journal_is_not_begun_over_the_first(self, build_store: OpenStore) -> None:
        """It is refused, and the first one stays."""
        with _begun(build_store, 1):
            pass
        with pytest.raises(WorkspaceError):
            build_store().create({"run_id": "another"})
        with _opened(build_store) as store:
            assert dict(store.meta()) == META
            assert len(list(store.rows("inputs"))) == 2

    @pytest.mark.parametrize("readonly", [False, True])
    def test_what_is_not_there_cannot_be_opened(self, build_store: OpenStore, *, readonly: bool) -> None:
        """It is refused, and not made on the way."""
        with pytest.raises(WorkspaceError):
            build_store().open(readonly=readonly)
        assert not build_store().exists()

    def test_what_was_noted_of_the_run_is_given_back(self, build_store: OpenStore) -> None:
        """`meta` gives what `create` was given, in this process and in the next."""
        with _begun(build_store) as store:
            assert dict(store.meta()) == META
        with _opened(build_store) as store:
            assert dict(store.meta()) == META

    # -- rows

    @pytest.mark.parametrize("table", _TABLES)
    def test_rows_come_back_as_they_were(self, build_store: OpenStore, table: JournalTable) -> None:
        """In their order, with the types that they had: bytes as bytes, nothing as nothing."""
        with _begun(build_store, 1, 2, 3) as store:
            assert _read(store, table) == _appended(table, 1, 2, 3)

    @pytest.mark.parametrize("table", _TABLES)
    def test_rows_are_there_for_the_next_process(self, build_store: OpenStore, table: JournalTable) -> None:
        """What was appended stays, and more may be added to it."""
        with _begun(build_store, 1):
            pass
        with _opened(build_store) as store:
            store.append(sample_rows(2))
        with _opened(build_store) as store:
            assert _read(store, table) == _appended(table, 1, 2)

    @pytest.mark.parametrize("table", _TABLES)
    def test_the_last_row_is_the_last_of_all(self, build_store: OpenStore, table: JournalTable) -> None:
        """`last` gives what `rows` would end with, and nothing where there is none."""
        with _begun(build_store) as store:
            assert store.last(table) is None
            store.append(sample_rows(1))
            store.append(sample_rows(2))
            last = store.last(table)
            assert last is not None
            assert _typed(last) == _appended(table, 1, 2)[-1]

    def test_a_journal_without_rows_gives_none(self, build_store: OpenStore) -> None:
        """A run may die before its first input."""
        with _begun(build_store) as store:
            assert [_read(store, table) for table in _TABLES] == [[], [], []]

    def test_rows_come_one_by_one(self, build_store: OpenStore) -> None:
        """`rows` gives an iterator: a long run's journal does not fit into memory."""
        with _begun(build_store, 1) as store:
            rows = store.rows("events")
            assert iter(rows) is rows
            assert len(list(rows)) == 3
            assert list(rows) == []

    def test_all_tables_may_be_read_at_once(self, build_store: OpenStore) -> None:
        """A reader goes through them side by side."""
        with _begun(build_store, 1, 2) as store:
            side_by_side = list(zip(*(store.rows(table) for table in _TABLES), strict=False))
            expected = [_appended(table, 1, 2)[:4] for table in _TABLES]
            assert [[_typed(rows[n]) for rows in side_by_side] for n in range(3)] == expected

    def test_what_is_left_unread_is_no_hindrance(self, build_store: OpenStore) -> None:
        """Whoever has seen enough goes away, and the store is written to and closed as ever."""
        with _begun(build_store, 1) as store:
            half_read = store.rows("events")
            next(half_read)
            half_read.close()  # type: ignore[attr-defined] # what has no end to close has no `close`
            store.append(sample_rows(2))
            assert len(_read(store, "events")) == 6

    def test_an_append_that_fails_leaves_nothing(self, build_store: OpenStore) -> None:
        """A transaction is whole or not at all, whichever row of it cannot be written."""
        good = sample_rows(2)
        bad = attrs.evolve(good, events=(*good.events[:2], (6, 3, "gepa.run", 0, object(), b"")))
        with _begun(build_store, 1) as store:
            with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, nothing may be there
                store.append(bad)
            assert [_read(store, table) for table in _TABLES] == [_appended(table, 1) for table in _TABLES]
            store.append(good)
            assert _read(store, "inputs") == _appended("inputs", 1, 2)

    def test_events_after_a_number_are_those(self, build_store: OpenStore) -> None:
        """`events_after`, where a store offers it, gives what `rows` gives from there on."""
        with _begun(build_store, 1, 2) as store:
            after = getattr(store, "events_after", None)
            if after is not None:
                assert [_typed(row) for row in after(4)] == _appended("events", 1, 2)[4:]

    # -- texts

    def test_a_text_is_found_by_its_digest(self, build_store: OpenStore) -> None:
        """To the byte, in this process and in the next; nothing where there is none."""
        ((digest, text),) = sample_rows(1).blobs.items()
        with _begun(build_store, 1) as store:
            assert store.blob(digest) == text
            assert store.blob("0" * 64) is None
        with _opened(build_store) as store:
            assert store.blob(digest) == text

    def test_a_text_that_comes_again_stays(self, build_store: OpenStore) -> None:
        """Texts are addressed by content, so that the same one comes in many transactions."""
        text = "the same\n"
        blobs = {hashlib.sha256(text.encode()).hexdigest(): text}
        with _begun(build_store, 1) as store:
            for _ in range(2):
                store.append(Rows(blobs=blobs))
            assert store.blob(next(iter(blobs))) == text

    # -- reading alone

    def test_reading_alone_gives_everything(self, build_store: OpenStore) -> None:
        """Rows, last rows, texts and what was noted."""
        with _begun(build_store, 1):
            pass
        ((digest, text),) = sample_rows(1).blobs.items()
        with _opened(build_store, readonly=True) as store:
            assert [_read(store, table) for table in _TABLES] == [_appended(table, 1) for table in _TABLES]
            assert (store.blob(digest), dict(store.meta())) == (text, META)

    def test_reading_alone_writes_nothing(self, build_store: OpenStore) -> None:
        """An append is refused with words, and nothing of it is there."""
        with _begun(build_store, 1):
            pass
        with _opened(build_store, readonly=True) as store, pytest.raises(GepaError):
            store.append(sample_rows(2))
        with _opened(build_store) as store:
            assert _read(store, "inputs") == _appended("inputs", 1)

    def test_reading_alone_is_of_one_moment(self, build_store: OpenStore) -> None:
        """While another process appends, a reader sees what was there when it opened, in every table."""
        with _begun(build_store, 1) as writer, _opened(build_store, readonly=True) as reader:
            before = _read(reader, "inputs")
            writer.append(sample_rows(2))
            assert before == _read(reader, "inputs") == _appended("inputs", 1)
            assert _read(reader, "events") == _appended("events", 1)
            last = reader.last("attempts")
            assert last is not None
            assert _typed(last) == _appended("attempts", 1)[-1]

    # -- closing, threads

    def test_any_thread_may_use_it(self, build_store: OpenStore) -> None:
        """By one at a time: the framework calls it from a thread that may wait."""
        with _begun(build_store, 1) as store:
            failed = _in_a_thread(lambda: store.append(sample_rows(2)))
            assert failed == []
            assert _read(store, "inputs") == _appended("inputs", 1, 2)

    def test_closing_may_be_repeated(self, build_store: OpenStore) -> None:
        """Closing what is closed, or was never opened, does nothing."""
        unused = build_store()
        unused.close()
        with _begun(build_store, 1) as store:
            store.close()
            store.close()
        assert build_store().exists()

    def test_what_is_closed_takes_nothing(self, build_store: OpenStore) -> None:
        """A row that comes too late is refused with words, and is not lost without one."""
        with _begun(build_store, 1) as store:
            store.close()
            with pytest.raises(GepaError):
                store.append(sample_rows(2))

    def test_closing_leaves_nothing_running(self, build_store: OpenStore) -> None:
        """No thread, connection or process outlives it."""
        before = Traces.now()
        with _begun(build_store, 1) as store:
            list(store.rows("inputs"))
        assert before.left_since() == {}


def _typed(row: Any) -> list[tuple[type, Any]]:
    return [(type(value), value) for value in row]


def _read(store: Store, table: JournalTable) -> list[list[tuple[type, Any]]]:
    rows = [_typed(row) for row in store.rows(table)]
    assert all(len(row) == len(COLUMNS[table]) for row in rows)
    return rows


def _appended(table: JournalTable, *transactions: int) -> list[list[tuple[type, Any]]]:
    return [_typed(row) for number in transactions for row in getattr(sample_rows(number), table)]


def _in_a_thread(act: Callable[[], None]) -> list[BaseException]:
    failed: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return failed
