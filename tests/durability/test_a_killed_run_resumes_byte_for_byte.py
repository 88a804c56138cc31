"""A run is killed at a thousand places, gone on with, and held against one that was left alone.

A case that fails is printed with the command that reproduces it. ``make kill-sweep N=10000`` tries more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
#: Deaths by scenario; the cheaper ones have more.
_DEATHS = {
    "plain": 240,
    "rough": 200,
    "long": 80,
    "cached": 170,
    "extended": 90,
    "pipelined": 160,
    "pipelined-rough": 100,
}


def test_there_are_a_thousand_deaths():
    assert sum(_DEATHS.values()) >= 1000


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", _DEATHS)
def test_a_killed_run_resumes_to_the_same_feed_books_and_exports(scenario: str) -> None:
    count = _DEATHS[scenario]
    command = [sys.executable, "-m", "tests.durability.sweep", "--scenario", scenario, "--count", str(count)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=590, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    # There are fewer commits, and points, when more comes in while one is written.
    assert figures["deaths"] >= 0.9 * count, figures


@pytest.mark.timeout(600)
def test_a_rebuilding_that_is_killed_can_be_repeated() -> None:
    command = [sys.executable, "-m", "tests.durability.sweep.rebuilding"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=590, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["deaths"] >= 10
