"""A workspace of the first schema is read as it is, and migrated whole when it is gone on with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
def test_a_migration_that_is_killed_leaves_the_old_schema_or_the_new_one_and_can_be_repeated():
    command = [sys.executable, "-m", "tests.durability.sweep.migrations"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=290, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["tried"] >= 200
