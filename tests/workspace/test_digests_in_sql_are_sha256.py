from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gepa_framework.workspace.views.digests import sha256


@pytest.fixture(scope="module")
def digest():
    with closing(sqlite3.connect(":memory:")) as database:
        yield lambda text: database.execute(f"SELECT {sha256('?1')}", (text,)).fetchone()[0]


@pytest.mark.parametrize("length", [0, 1, 3, 54, 55, 56, 63, 64, 65, 118, 119, 120, 127, 128, 129, 1000])
def test_a_text_of_any_length_has_its_digest(digest, length):
    text = ("abcdefghi" * length)[:length]
    assert digest(text) == hashlib.sha256(text.encode()).hexdigest()


@settings(max_examples=30)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=150))
def test_a_text_is_digested_as_utf_8(digest, text):
    assert digest(text) == hashlib.sha256(text.encode()).hexdigest()


def test_nothing_has_no_digest(digest):
    assert digest(None) is None
