from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_NURSERY = Path(__file__).with_name("nursery.py")
_PLACES = ("before_send", "after_send", "before_commit", "after_commit", "after_feed")
_COUNTS = {"before_send": range(1, 190, 12), "after_send": range(1, 190, 12)}
_SPARSE = (1, 2, 3, 4, 5, 7, 9, 12, 15, 18, 20, 22, 24, 25)


def _reports(
    tmp_path: Path,
    cases: list[list[str]],
    *,
    delay: float,
    failing: float,
    limit: int = 0,
    more: str = "",
) -> list[dict]:
    spec = json.dumps({"cases": cases, "delay": delay, "failing": failing, "limit": limit, "more": more})
    done = subprocess.run(
        [sys.executable, _NURSERY, tmp_path, spec], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _check(reports: list[dict]) -> int:
    whole, *killed = reports
    assert set(whole["ends"]) == {0}
    deaths = 0
    for report in killed:
        assert report["ends"][-1] == 0, report["failpoints"]
        assert report["normalised"] == whole["normalised"], report["failpoints"]
        assert report["effects"] == whole["effects"], report["failpoints"]
        assert report["repeated"] == [], report["failpoints"]
        assert report["unkept"] == [], report["failpoints"]
        assert report["proved"] == "finished", report["failpoints"]
        deaths += report["ends"].count(-signal.SIGKILL)
    return deaths


@pytest.mark.timeout(300)
@pytest.mark.parametrize("place", _PLACES)
def test_a_run_killed_anywhere_resumes_to_the_same_feed_and_repeats_no_journalled_rollout(
    tmp_path: Path, place: str
) -> None:
    cases = [[], *([f"{place}:{count}"] for count in _COUNTS.get(place, _SPARSE))]
    reports = _reports(tmp_path, cases, delay=0.0, failing=0.0)
    assert _check(reports) >= 10


@pytest.mark.timeout(300)
def test_a_run_with_slow_and_failing_rollouts_survives_several_kills(tmp_path: Path) -> None:
    cases = [
        [],
        ["after_send:15", "before_send:20", "after_commit:6"],
        ["after_commit:2", "after_commit:2", "before_commit:9", "after_feed:12"],
        ["before_send:70", "after_send:9"],
    ]
    reports = _reports(tmp_path, cases, delay=0.004, failing=0.1)
    assert _check(reports) >= 7


@pytest.mark.timeout(300)
def test_a_run_killed_around_its_extension_is_extended_once_and_goes_on_to_the_same_feed(
    tmp_path: Path,
) -> None:
    cases = [
        [],
        # The first commit of an extended run is that of the extension.
        *([f"{place}:1"] for place in _PLACES),
        *([f"{place}:{count}"] for place in _PLACES for count in (2, 4)),
        ["before_commit:1", "after_commit:1", "before_send:5", "after_feed:3"],
    ]
    reports = _reports(tmp_path, cases, delay=0.0, failing=0.0, limit=16)
    assert _check(reports) >= 16
    for report in reports:
        assert report["normalised"].count('"type":"gepa.run.extended"') == 1
        heldout = [effect for effect in report["effects"] if effect.startswith("0/heldout/")]
        assert len(heldout) == len(set(heldout))


@pytest.mark.timeout(300)
def test_a_killed_run_with_long_texts_keeps_each_of_them_once_all_the_same(tmp_path: Path) -> None:
    levels = " ".join(["0"] * 400)
    cases = [
        [],
        *([f"{place}:{count}"] for place in ("before_commit", "after_commit") for count in (2, 9, 18)),
        ["after_commit:6", "before_commit:4", "after_feed:3"],
    ]
    seed = f'[seed_candidate]\nskills = "{levels}"'
    reports = _reports(tmp_path, cases, delay=0.0, failing=0.0, more=seed)
    assert _check(reports) >= 7
    for report in reports:
        assert report["texts"] == reports[0]["texts"]
        assert report["texts"].count(levels) == 1
        # The seed stands where it is kept, and nowhere else.
        assert sum(levels[:200] in text for text in report["texts"] if text.startswith("{")) == 0
