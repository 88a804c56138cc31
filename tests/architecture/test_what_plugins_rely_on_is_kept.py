from __future__ import annotations

from pathlib import Path

from tests.architecture import api

from gepa_framework.hookspecs import API_VERSION

KEPT = Path(__file__).with_name(f"api-{API_VERSION.partition('.')[0]}.0.txt")


def kept():
    """Give what was promised with the first hooks of this major version."""
    return KEPT.read_text(encoding="utf-8").splitlines()


def methods(lines):
    """Give each method of a Protocol with its arguments, by Protocol."""
    return {(line.rpartition("method ")[2].partition(".")[0], line) for line in lines if "method " in line}


def test_nothing_that_was_promised_is_gone():
    gone = sorted({*kept()} - {*api.lines()})
    assert not gone, "it goes with the next major API_VERSION, and after it has warned: see the author guide"


def test_a_protocol_asks_for_no_more_than_was_promised():
    """A plugin for 1.0 has no more methods than those of 1.0; what comes later is a Protocol of its own."""
    promised = methods(kept())
    protocols = {protocol for protocol, _ in promised}
    assert {each for each in methods(api.lines()) if each[0] in protocols} <= promised
