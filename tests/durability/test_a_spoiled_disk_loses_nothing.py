"""Disks that are full or read-only, files that are lost: a clear error, and a run that goes on afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_OWN_MOUNTS = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])


def figures(*command: str) -> dict[str, int]:
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=590, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def own_mounts() -> list[str]:
    """Give what starts a process that may mount a disk of its own."""
    said = ""
    for prefix in _OWN_MOUNTS:
        try:
            trial = [*prefix, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
            done = subprocess.run(trial, capture_output=True, text=True, timeout=30, check=False)
        except FileNotFoundError as error:
            pytest.skip(f"no disk can be mounted here: {error}")
        if done.returncode == 0:
            return prefix
        said = done.stderr.strip()
    pytest.skip(f"no disk can be mounted here: {said}")


@pytest.mark.timeout(600)
def test_a_run_on_a_full_or_read_only_disk_ends_with_a_clear_error_and_goes_on_byte_for_byte(own_mounts):
    found = figures(*own_mounts, sys.executable, "-m", "tests.durability.sweep.full_disk")
    assert found["full"] >= 64


@pytest.mark.timeout(600)
def test_a_run_that_loses_its_files_says_so_and_goes_on_when_it_has_them_back():
    assert figures(sys.executable, "-m", "tests.durability.sweep.lost_files")["tried"] >= 24
