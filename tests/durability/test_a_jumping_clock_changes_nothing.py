"""The wall clock is for people: no run, no deadline and no resume depends on it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_WALL = {"time", "time_ns", "gmtime", "localtime", "now", "utcnow", "today"}
_CLOCKS = {"time", "dt.date", "dt.datetime", "date", "datetime", "datetime.date", "datetime.datetime"}
#: Who may ask for the time of day, and what for.
_ALLOWED = {
    "src/gepa_framework/app/files.py": "the registry says when",
    "src/gepa_framework/app/inspect/listing.py": "a list of runs says how old each is",
    "src/gepa_framework/app/prepare.py": "a run without a name is called after its start",
    "src/gepa_framework/app/status/record.py": "a check says when it was made",
    "src/gepa_framework/runtime/watching.py": "listeners are told when an effect was begun",
    "src/gepa_framework/builtin/webhook_courier.py": "a signature holds for a while",
    "src/gepa_framework/net/failures.py": "a server says until when to wait; bounded",
    "src/gepa_framework/workspace/holder.py": "a lock says since when it is held",
    "plugins/gepa-mlflow/src/gepa_mlflow/record.py": "a metric says when",
    "plugins/gepa-otel/src/gepa_otel/listener.py": "a span says when",
    "plugins/gepa-prometheus/src/gepa_prometheus/listener.py": "an alert asks how long nothing was heard",
    "cookbooks/gepa-cookbook-banking77/src/gepa_cookbook_banking77/rollouts.py": "an answer says when",
}


def asks_for_the_time_of_day(path: Path) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _WALL
        and ast.unparse(node.func.value)
        in ("time", "dt", "dt.datetime", "datetime", "datetime.datetime", "dt.date")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_the_time_of_day_is_asked_for_people_only():
    sources = [path for tree in ("src", "plugins", "cookbooks") for path in (_ROOT / tree).rglob("*.py")]
    asking = {
        str(path.relative_to(_ROOT))
        for path in sources
        if "tests" not in path.relative_to(_ROOT).parts and asks_for_the_time_of_day(path)
    }
    assert asking == set(_ALLOWED)


@pytest.mark.timeout(120)
def test_runs_under_a_clock_that_jumps_an_hour_back_and_forth_are_as_others():
    command = [sys.executable, "-m", "tests.durability.sweep.clock"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["tried"] >= 16
