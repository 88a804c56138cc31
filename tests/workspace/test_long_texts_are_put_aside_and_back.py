from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.types import canonical_json, compact_json
from gepa_framework.workspace import blob_digest
from gepa_framework.workspace.texts import LONG, put_aside, put_back, references
from gepa_framework.workspace.whole import whole_json, whole_text, whole_value

# What could be taken for a reference, or for the beginning or the end of one, and what is hard to write.
ODD = (
    '{"$text":"',
    '"}',
    '\\"',
    '"',
    "\\",
    ",",
    "{",
    "$text",
    "$",
    '":',
    "\u20ac",
    "\n",
    "\ud800",
    "\x00",
    "\x7f",
)
characters = st.characters(exclude_categories=())
short = st.lists(st.one_of(st.sampled_from(ODD), st.text(characters, max_size=4)), max_size=6).map("".join)
long = st.tuples(short, st.integers(200, 300)).map(
    lambda pair: pair[0] + "ab\u00e9"[: pair[1] % 3 + 1] * pair[1]
)
text = st.one_of(short, long)
key = st.one_of(st.sampled_from(("$text", "$$text", "$$$text", 'a"$text', 'a"$$text', "a,", "{")), text)
value = st.recursive(
    st.one_of(st.none(), st.integers(), text, st.sampled_from(("ab" * 32,))),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(key, inner, max_size=4)),
    max_leaves=12,
)


def written(value, form):
    """Give JSON that has a UTF-8 form, as requests and rows have."""
    if form == "ascii":
        return json.dumps(value, separators=(",", ":"))
    plain = canonical_json(value) if form == "canonical" else compact_json(value)
    try:
        plain.encode()
    except UnicodeEncodeError:
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    return plain


@given(value, st.sampled_from(("compact", "canonical", "ascii")))
def test_every_json_comes_back_to_the_last_character(value, form):
    kept = {}
    before = written(value, form)
    stored = put_aside(before, kept)
    assert put_back(stored, kept.__getitem__) == before
    assert set(references(stored)) == set(kept)
    assert {blob_digest(text) for text in kept.values()} == set(kept)
    json.loads(stored)


@given(value)
def test_what_was_put_aside_is_put_aside_again_and_comes_back(value):
    """The text of a component may be stored JSON itself."""
    kept = {}
    before = compact_json({"inner": put_aside(compact_json(value), kept), "as it is": value})
    once = put_aside(before, kept)
    twice = put_aside(once, kept)
    assert put_back(put_back(twice, kept.__getitem__), kept.__getitem__) == before


def test_long_texts_are_named_and_keys_and_short_ones_stay():
    at, above = "a" * (LONG - 2), "b" * (LONG - 1)
    kept = {}
    stored = put_aside(compact_json({"x" * 999: at, "long": [above, above]}), kept)
    named = {"$text": blob_digest(above)}
    assert json.loads(stored) == {"x" * 999: at, "long": [named, named]}
    assert kept == {blob_digest(above): above}


@pytest.mark.parametrize("odd", ["\x00", "\ud800"])
def test_a_text_that_not_every_store_takes_stays_where_it_is(odd):
    kept = {}
    stored = put_aside(compact_json({"odd": odd + "a" * 999}), kept)
    assert (stored, kept) == (compact_json({"odd": odd + "a" * 999}), {})


def test_what_looks_like_a_reference_is_not_taken_for_one():
    plain = compact_json({"data": {"$text": "ab" * 32}, "more": {"$$text": 1}})
    stored = put_aside(plain, {})
    assert json.loads(stored) == {"data": {"$$text": "ab" * 32}, "more": {"$$$text": 1}}
    assert references(stored) == ()
    assert put_back(stored, {}.__getitem__) == plain


@pytest.mark.parametrize(
    "plain", ["", '"', '"' + "a" * 999, '"a\nb' + "c" * 999 + '"', 'x "' + "d" * 999 + '" y']
)
def test_what_is_no_json_is_no_obstacle(plain):
    kept = {}
    assert put_back(put_aside(plain, kept), kept.__getitem__) == plain


@pytest.fixture(scope="module")
def ask():
    """Give a way to ask a query of stored JSON, beside its texts."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE blobs (sha256 TEXT PRIMARY KEY, body TEXT)")
        database.execute("CREATE TABLE rows (body TEXT)")

        def ask(value, query):
            kept = {}
            database.execute("DELETE FROM rows")
            database.execute("INSERT INTO rows VALUES (?)", (put_aside(compact_json(value), kept),))
            database.executemany("INSERT OR IGNORE INTO blobs VALUES (?, ?)", kept.items())
            return database.execute(query).fetchall()

        yield ask


usual = st.recursive(
    st.one_of(st.none(), st.integers(-99, 99), st.text(max_size=9), st.text(min_size=250, max_size=300)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(("a", "b c", "$text")), inner, max_size=3),
    ),
    max_leaves=9,
)


@given(usual)
def test_a_query_puts_all_texts_back_however_deep_they_are(ask, value):
    ((found,),) = ask([value], f"SELECT {whole_json('rows.body')} FROM rows")
    assert json.loads(found) == [value]


def test_a_query_gives_texts_long_and_short(ask):
    texts = {
        "long": "\u00e9\"'" * 200,
        "short": "s",
        "none": None,
        "like one": '{"$text":"' + "ab" * 32 + '"}',
    }
    columns = ", ".join(whole_text("rows.body", f'$."{name}"') for name in texts)
    (found,) = ask(texts, f"SELECT {columns} FROM rows")
    assert found == tuple(texts.values())
    each = ask(
        {"a": texts}, f"SELECT each.key, {whole_value('each')} FROM rows, json_each(body, '$.a') AS each"
    )
    assert dict(each) == texts


def test_a_text_that_is_not_there_leaves_its_reference_to_a_query(ask):
    reference = {"$text": "ab" * 32}
    ask(None, "SELECT 1")
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE blobs (sha256 TEXT PRIMARY KEY, body TEXT)")
        database.execute("CREATE TABLE rows (body TEXT)")
        database.execute("INSERT INTO rows VALUES (?)", (compact_json({"a": reference}),))
        queries = (whole_json("rows.body"), whole_text("rows.body", "$.a"))
        ((everything, one),) = database.execute(f"SELECT {', '.join(queries)} FROM rows")
        assert (json.loads(everything), json.loads(one)) == ({"a": reference}, reference)
