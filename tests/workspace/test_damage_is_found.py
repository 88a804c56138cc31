from __future__ import annotations

import sqlite3

import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace import Journal

_COLUMNS = {
    "inputs": ("position", "kind", "effect_id", "request_digest", "elapsed_us", "payload", "chain"),
    "attempts": (
        *("effect_id", "attempt", "position", "kind", "code", "message", "http_status"),
        *("prompt_tokens", "completion_tokens", "total_tokens", "cost_usd"),
    ),
    "events": ("seq", "position", "type", "elapsed_us", "body", "chain"),
    "meta": ("key", "value"),
}


@pytest.fixture
def damage(journal, make, path):
    """Give a journal of five inputs, and a way to change it behind its back."""
    records = [make.start(), *(make.outcome(f"train:{n}", superseded=(make.FAILURE,)) for n in range(3))]
    journal.commit([*records, make.decided()])
    journal.close()

    def damage(statement, *values):
        database = sqlite3.connect(path)
        with database:
            changed = database.execute(statement, values).rowcount
        database.close()
        assert changed > 0
        return load(path)

    assert load(path) == 5
    return damage


def load(path):
    journal = Journal.open(SqliteStore(path))
    try:
        return len(list(journal.load()))
    finally:
        journal.close()


def flipped(value):
    """Give the value with one bit of its last byte changed."""
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, int):
        return value ^ 64
    return value[:-1] + chr(ord(value[-1]) ^ 64)


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in _COLUMNS.items() for column in columns]
)
def test_one_bit_in_any_column_is_found(damage, path, table, column):
    database = sqlite3.connect(path)
    (rows,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
    for offset in range(rows):
        row, value = database.execute(
            f"SELECT rowid, {column} FROM {table} ORDER BY rowid LIMIT 1 OFFSET ?", (offset,)
        ).fetchone()
        if value is None:
            continue
        statement = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
        database.execute(statement, (flipped(value), row))
        database.commit()
        with pytest.raises((WorkspaceError, KeyError)):
            load(path)
        key = "rowid" if column not in ("position", "seq") or table == "attempts" else column
        database.execute(
            f"UPDATE {table} SET {column} = ? WHERE {key} = ?",
            (value, row if key == "rowid" else flipped(value)),
        )
        database.commit()
    database.close()
    assert load(path) == 5


_NULLABLE = {
    "inputs": ("request_digest",),
    "attempts": ("http_status", "prompt_tokens", "completion_tokens", "total_tokens", "cost_usd"),
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in _NULLABLE.items() for column in columns]
)
def test_a_value_that_is_taken_away_is_found(damage, table, column):
    with pytest.raises(WorkspaceError):
        damage(f"UPDATE {table} SET {column} = NULL WHERE position = 3")


@pytest.mark.parametrize("position", [1, 2, 3, 4])
def test_a_deleted_input_is_found(damage, position):
    with pytest.raises(WorkspaceError):
        damage("DELETE FROM inputs WHERE position = ?", position)


@pytest.mark.parametrize("seq", range(1, 11))
def test_a_deleted_event_is_found(damage, seq):
    with pytest.raises(WorkspaceError):
        damage("DELETE FROM events WHERE seq = ?", seq)


@pytest.mark.parametrize("position", [2, 3, 4])
def test_a_deleted_attempt_is_found(damage, position):
    with pytest.raises(WorkspaceError):
        damage("DELETE FROM attempts WHERE position = ?", position)


def test_an_attempt_that_was_added_is_found(damage):
    with pytest.raises(WorkspaceError):
        damage(
            "INSERT INTO attempts SELECT effect_id, 2, position, kind, code, message, http_status, "
            "prompt_tokens, completion_tokens, total_tokens, cost_usd FROM attempts WHERE position = 3"
        )


def test_an_event_that_follows_from_no_input_is_found(damage):
    with pytest.raises(WorkspaceError, match="event 4 follows from no input"):
        damage("DELETE FROM inputs WHERE position >= 4")


def test_the_message_names_the_file_the_row_and_the_cure(damage, path):
    with pytest.raises(WorkspaceError, match="input 3 is not what was written") as caught:
        damage('UPDATE inputs SET payload = \'{"reward":0.75,"usage":{}}\' WHERE position = 3')
    assert str(path) in caught.value.message
    assert "backup" in caught.value.hint
    with pytest.raises(WorkspaceError, match="event 2 is not what was written"):
        damage("UPDATE events SET body = replace(body, '0.5', '0.9') WHERE seq = 2")


def test_two_inputs_that_changed_places_are_found(damage):
    with pytest.raises(WorkspaceError):
        damage(
            "UPDATE inputs SET payload = (SELECT payload FROM inputs AS other WHERE other.position = 5), "
            "kind = 'rollout_failure' WHERE position = 2"
        )


def test_flipped_bytes_of_the_file_are_found_or_harmless(damage, path):
    whole = path.read_bytes()
    journal = Journal.open(SqliteStore(path))
    expected = list(journal.load())
    journal.close()
    silent = []
    for place in range(100, len(whole), 211):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            again = Journal.open(SqliteStore(path))
        except WorkspaceError:
            continue
        try:
            if list(again.load()) != expected:
                silent.append(place)
        except (WorkspaceError, KeyError, ValueError):
            pass
        finally:
            again.close()
    assert silent == []
