from __future__ import annotations

import datetime as dt
import subprocess
import sys
from email.utils import format_datetime
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.net import JSONRefused, dump_json, load_json
from gepa_framework.net.failures import MAX_RETRY_AFTER, parse_retry_after

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64) + 1, 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_what_is_written_is_read_back(value):
    assert load_json(dump_json(value)) == value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"NaN", "finite"),
        (b"[Infinity]", "finite"),
        (b"1e400", "too large"),
        (b"18446744073709551616", "64 bits"),
        (b"-18446744073709551616", "64 bits"),
        (b"9" * 5000, "64 bits"),
        (b"[" * 101 + b"]" * 101, "deeper than 100"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "deeper than 100"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "at character 1"),
        (b"{} {}", "Extra data"),
        (b"", "Expecting value"),
    ],
)
def test_a_body_that_could_do_harm_is_refused_with_words(body, why):
    with pytest.raises(JSONRefused, match=why):
        load_json(body)


def test_a_body_at_the_limits_is_accepted():
    assert load_json(b"18446744073709551615") == 2**64 - 1
    assert load_json(b"[" * 100 + b"]" * 100)
    assert load_json(b"[" + b"[]," * 500 + b"1]")[-1] == 1
    assert load_json(b"\xef\xbb\xbf{}") == {}


def test_read_only_mappings_are_written_as_objects():
    assert dump_json(MappingProxyType({"a": MappingProxyType({})})) == b'{"a":{}}'


def test_retry_after_is_read_as_seconds_and_as_a_date_and_is_bounded():
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    assert parse_retry_after("3") == 3.0
    assert parse_retry_after("9" * 30) == MAX_RETRY_AFTER
    assert 55 < parse_retry_after(format_datetime(soon)) <= 60
    assert parse_retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0.0
    assert parse_retry_after("Mon, 01 Jan 2001 00:00:00") == 0.0
    for nonsense in (None, "", "soon", "-1", "1.5", "٣"):
        assert parse_retry_after(nonsense) is None


def test_the_package_does_not_load_httpx_before_a_client_is_made():
    code = (
        "import sys; from gepa_framework import net; print('httpx' in sys.modules); "
        "net.HttpClient; print('httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_name_that_the_package_does_not_have_is_an_attribute_error():
    from gepa_framework import net

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = net.nothing
