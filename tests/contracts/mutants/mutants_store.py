from __future__ import annotations

import copy
import pickle
import threading

import attrs
import pytest
from mutating import mutants, plugin_of

from gepa_framework.errors import WorkspaceError
from gepa_framework.testing.contracts import StoreContract
from gepa_framework.types import COLUMNS, Kind, Rows

TABLES = list(COLUMNS)


class Honest:
    """A pickle of everything, written at each append."""

    def __init__(self, context):
        self.context = context
        self.path = context.run_dir / "journal"
        self.state = None
        self.readonly = False

    def location(self):
        return str(self.path)

    def exists(self):
        return self.path.exists()

    def create(self, meta):
        if self.exists():
            raise WorkspaceError(f"{self.path} is there")
        self.state = {"meta": dict(meta), "blobs": {}, **{table: [] for table in TABLES}}
        self.write(self.state)

    def open(self, *, readonly=False):
        if not self.exists():
            raise WorkspaceError(f"{self.path} is not there")
        self.state, self.readonly = pickle.loads(self.path.read_bytes()), readonly

    def write(self, state):
        for table in TABLES:
            types = list(COLUMNS[table].values())
            for row in state[table]:
                if not all(isinstance(value, kinds) for value, kinds in zip(row, types, strict=True)):
                    raise WorkspaceError(f"a row of {table} is none")
        self.path.write_bytes(pickle.dumps(state))

    def meta(self):
        return self.state["meta"]

    def append(self, rows):
        if self.state is None or self.readonly:
            raise WorkspaceError("not open for writing")
        state = copy.deepcopy(self.state)
        for table in TABLES:
            state[table] += getattr(rows, table)
        state["blobs"] = {**rows.blobs, **state["blobs"]}
        self.write(state)
        self.state = state

    def rows(self, table):
        yield from list(self.state[table])

    def last(self, table):
        return self.state[table][-1] if self.state[table] else None

    def events_after(self, seq):
        return (row for row in self.rows("events") if row[0] > seq)

    def blob(self, sha256):
        return self.state["blobs"].get(sha256)

    def close(self):
        self.state = None


class TestHonest(StoreContract):
    made = Honest

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.STORE, self.made)


class IsAlwaysThere(Honest):
    def exists(self):
        return True


class IsThereOnceOpened(Honest):
    def exists(self):
        return self.path.exists() and self.state is not None


class Moves(Honest):
    def location(self):
        return f"{self.path} ({'open' if self.state else 'closed'})"


class TellsItsPassword(Honest):
    def location(self):
        return f"db://me:{self.context.environ['OPENAI_API_KEY']}@host"


class IsMadeByLooking(Honest):
    def exists(self):
        there = self.path.exists()
        if not there:
            self.path.touch()
        return there


class BeginsAnew(Honest):
    def create(self, meta):
        self.path.unlink(missing_ok=True)
        super().create(meta)


class IsMadeByOpening(Honest):
    def open(self, *, readonly=False):
        if not self.exists():
            self.create({})
        super().open(readonly=readonly)


class ForgetsTheNote(Honest):
    def meta(self):
        return {key: value.strip() for key, value in super().meta().items()}


class GivesBytesAsText(Honest):
    def rows(self, table):
        for row in super().rows(table):
            yield [value.hex() if isinstance(value, bytes) else value for value in row]


class GivesZeroForNothing(Honest):
    def rows(self, table):
        for row in super().rows(table):
            yield [0 if value is None else value for value in row]


class TurnsRowsRound(Honest):
    def rows(self, table):
        yield from reversed(list(super().rows(table)))


class LosesAttempts(Honest):
    def append(self, rows):
        super().append(attrs.evolve(rows, attempts=()))


class WritesAtTheEnd(Honest):
    def write(self, state):
        if not self.exists():
            super().write(state)


class GivesTheFirstForTheLast(Honest):
    def last(self, table):
        return next(self.rows(table), None)


class HasNoLastOfNone(Honest):
    def last(self, table):
        return self.state[table][-1]


class FailsWhenEmpty(Honest):
    def rows(self, table):
        first = self.state[table][0]
        yield first
        yield from self.state[table][1:]


class GivesAList(Honest):
    def rows(self, table):
        return list(super().rows(table))


class ReadsOneTableAtATime(Honest):
    reading = None

    def rows(self, table):
        self.reading = table
        for row in super().rows(table):
            if self.reading != table:
                raise WorkspaceError("another table is being read")
            yield row


class HoldsTheLockOfAReader(Honest):
    reading = 0

    def rows(self, table):
        self.reading += 1
        yield from super().rows(table)
        self.reading -= 1

    def append(self, rows):
        if self.reading:
            raise WorkspaceError("somebody reads")
        super().append(rows)


class LeavesHalfATransaction(Honest):
    def append(self, rows):
        for table in TABLES:
            super().append(Rows(**{table: getattr(rows, table)}))
        super().append(Rows(blobs=rows.blobs))


class CountsFromZero(Honest):
    def events_after(self, seq):
        return (row for row in self.rows("events") if row[0] >= seq)


class FindsAnyText(Honest):
    def blob(self, sha256):
        return super().blob(sha256) or ""


class StripsTexts(Honest):
    def blob(self, sha256):
        found = super().blob(sha256)
        return found and found.strip()


class RefusesTextsAgain(Honest):
    def append(self, rows):
        if set(rows.blobs) & set(self.state["blobs"] if self.state else ()):
            raise WorkspaceError("there is such a text")
        super().append(rows)


class ReadsNoTextsAlone(Honest):
    def blob(self, sha256):
        return None if self.readonly else super().blob(sha256)


class WritesAlone(Honest):
    def open(self, *, readonly=False):
        super().open()


class SwallowsAlone(Honest):
    def append(self, rows):
        if not self.readonly:
            super().append(rows)


class FollowsTheWriter(Honest):
    def rows(self, table):
        if self.readonly:
            self.state = pickle.loads(self.path.read_bytes())
        return super().rows(table)


class FollowsTheWriterAtTheEnd(Honest):
    def last(self, table):
        return pickle.loads(self.path.read_bytes())[table][-1] if self.readonly else super().last(table)


class IsOfOneThread(Honest):
    def __init__(self, context):
        super().__init__(context)
        self.thread = threading.get_ident()

    def append(self, rows):
        if threading.get_ident() != self.thread:
            raise WorkspaceError("made in another thread")
        super().append(rows)


class ClosesOnce(Honest):
    def close(self):
        self.state.clear()
        super().close()


class GoesAwayWithTheWriter(Honest):
    def close(self):
        super().close()
        self.path.unlink(missing_ok=True)


class SwallowsWhatComesTooLate(Honest):
    def append(self, rows):
        if self.state is not None:
            super().append(rows)


class LeavesAThread(Honest):
    over = threading.Event()

    def append(self, rows):
        threading.Thread(target=self.over.wait, args=(3,), daemon=True).start()
        super().append(rows)


globals().update(
    mutants(
        TestHonest,
        {
            "test_a_journal_is_there_once_it_was_begun": [IsAlwaysThere, IsThereOnceOpened],
            "test_its_place_is_told_and_stays": [Moves, TellsItsPassword],
            "test_asking_whether_it_is_there_makes_nothing": [IsMadeByLooking],
            "test_a_second_journal_is_not_begun_over_the_first": [BeginsAnew],
            "test_what_is_not_there_cannot_be_opened": [IsMadeByOpening],
            "test_what_was_noted_of_the_run_is_given_back": [ForgetsTheNote],
            "test_rows_come_back_as_they_were": [
                GivesBytesAsText,
                GivesZeroForNothing,
                TurnsRowsRound,
                LosesAttempts,
            ],
            "test_rows_are_there_for_the_next_process": [WritesAtTheEnd, GoesAwayWithTheWriter],
            "test_the_last_row_is_the_last_of_all": [GivesTheFirstForTheLast, HasNoLastOfNone],
            "test_a_journal_without_rows_gives_none": [FailsWhenEmpty],
            "test_rows_come_one_by_one": [GivesAList],
            "test_all_tables_may_be_read_at_once": [ReadsOneTableAtATime],
            "test_what_is_left_unread_is_no_hindrance": [HoldsTheLockOfAReader],
            "test_an_append_that_fails_leaves_nothing": [LeavesHalfATransaction],
            "test_events_after_a_number_are_those": [CountsFromZero],
            "test_a_text_is_found_by_its_digest": [FindsAnyText, StripsTexts],
            "test_a_text_that_comes_again_stays": [RefusesTextsAgain],
            "test_reading_alone_gives_everything": [ReadsNoTextsAlone],
            "test_reading_alone_writes_nothing": [WritesAlone, SwallowsAlone],
            "test_reading_alone_is_of_one_moment": [FollowsTheWriter, FollowsTheWriterAtTheEnd],
            "test_any_thread_may_use_it": [IsOfOneThread],
            "test_closing_may_be_repeated": [ClosesOnce],
            "test_what_is_closed_takes_nothing": [SwallowsWhatComesTooLate],
            "test_closing_leaves_nothing_running": [LeavesAThread],
        },
    )
)
