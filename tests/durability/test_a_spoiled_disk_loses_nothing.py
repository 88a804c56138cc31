"""Disks that are full or read-only, files that are lost: a clear error, and a run that goes on afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
_OWN_MOUNTS = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])


def figures(*command: str) -> dict[str, Any]:
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


@pytest.fixture
def own_disks(own_mounts: list[str], tmp_path: Path) -> list[str]:
    """Give what starts a process that may mount a file as a disk."""
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(1 << 20))
    make = f"mkfs.ext4 -q -F {image} && mount -o loop {image} /mnt && umount /mnt"
    done = subprocess.run(
        [*own_mounts, "sh", "-c", make], capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        pytest.skip(f"no file can be mounted here: {done.stderr.strip()}")
    return own_mounts


@pytest.mark.timeout(600)
def test_a_disk_that_turns_read_only_under_a_run_ends_it_with_a_clear_error_and_loses_nothing(own_disks):
    found = figures(*own_disks, sys.executable, "-m", "tests.durability.sweep.read_only")
    assert found["refused"] >= 40


@pytest.mark.timeout(600)
def test_a_cache_that_is_spoiled_under_a_run_ends_it_with_a_clear_error_or_changes_nothing_of_it(own_disks):
    found = figures(*own_disks, sys.executable, "-m", "tests.durability.sweep.cache_faults")
    assert found["tried"] >= 50
    assert {
        "cut: gepa_cache_corrupt",
        "cut: went on",
        "flipped: gepa_cache_corrupt",
        "flipped: went on",
        "full: gepa_cache_full",
        "read-only: gepa_workspace_error",
    } <= found["ended"].keys()


@pytest.mark.timeout(600)
def test_a_run_on_a_full_or_read_only_disk_ends_with_a_clear_error_and_goes_on_byte_for_byte(own_mounts):
    found = figures(*own_mounts, sys.executable, "-m", "tests.durability.sweep.full_disk")
    assert found["full"] >= 64


@pytest.mark.timeout(600)
def test_a_run_that_loses_its_files_says_so_and_goes_on_when_it_has_them_back():
    assert figures(sys.executable, "-m", "tests.durability.sweep.lost_files")["tried"] >= 24
