from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_CONFIG = """
[run]
run_id = "{run_id}"
seed = 11
[container]
command = ["{{python}}", "-m", "gepa_cookbook_banking77.container", "--port", "{{port}}"]
[dataset]
train_seeds = "0-39"
heldout_seeds = "20000-20019"
[policy]
provider = "lexical"
[proposer]
backend = "lexical_reflector"
[gepa]
minibatch_size = 6
max_total_rollouts = 600
max_generations = 6
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for run_id in ("whole", "killed"):
        (tmp_path / f"{run_id}.toml").write_text(_CONFIG.format(run_id=run_id))
    return tmp_path


def _gepa(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gepa_framework.cli", *arguments]
    return subprocess.Popen(
        command,
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )


def _finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    return output


def _containers(project: Path) -> list[int]:
    """Give the processes that have to do with this project: the container's run in its directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                place = str((entry / "cwd").readlink())
            except OSError:
                continue
            if b"banking77" in words and place.startswith(str(project)):
                found.append(int(entry.name))
    return found


def _until(condition, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def killed(project: Path) -> Iterator[Path]:
    process = _gepa("run", "--config", "killed.toml", "--display", "none", cwd=project)
    feed = project / "runs" / "killed" / "events.jsonl"
    assert _until(lambda: feed.exists() and "iteration.started" in feed.read_text())
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    return project


@pytest.mark.timeout(120)
def test_the_demo_killed_in_the_middle_resumes_to_the_feed_of_a_whole_run(killed: Path) -> None:
    assert _until(lambda: not _containers(killed)), "the container outlived its optimizer"
    whole = _finish(_gepa("run", "--config", "whole.toml", "--display", "none", cwd=killed))
    resumed = _finish(_gepa("resume", "runs/killed", "--display", "none", cwd=killed))
    feeds = [
        (killed / "runs" / name / "events.normalized.jsonl").read_bytes() for name in ("whole", "killed")
    ]
    assert feeds[0] == feeds[1]
    last = [output.strip().splitlines()[-1] for output in (whole, resumed)]
    assert last[0] == last[1]
    assert re.fullmatch(r"heldout: seed 0\.\d{3} -> best [01]\.\d{3} \(n=20, stderr 0\.\d{3}\)", last[0])
    assert _until(lambda: not _containers(killed)), "a container was left running"


@pytest.mark.timeout(120)
def test_a_readonly_replay_needs_no_container_and_gives_the_same_feed(project: Path) -> None:
    cached = [
        "--set", 'cache.namespace="shared"', "--set", 'cache.path="cache.sqlite"', "--display", "none",
    ]  # fmt: skip
    _finish(_gepa("run", "--config", "whole.toml", *cached, cwd=project))
    again = [*cached, "--set", 'run.run_id="again"', "--set", 'cache.mode="readonly"']
    _finish(_gepa("run", "--config", "whole.toml", *again, cwd=project))
    run = project / "runs" / "again"
    profile = json.loads((run / "cache_profile.json").read_text())
    assert profile["totals"]["miss"] == 0
    assert not (run / "container.log").exists()
    first = (project / "runs" / "whole" / "events.normalized.jsonl").read_bytes()
    assert (run / "events.normalized.jsonl").read_bytes() == first
