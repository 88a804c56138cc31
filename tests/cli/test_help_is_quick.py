from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = {
    "alembic",
    "asyncio",
    "cattrs",
    "httpx",
    "pluggy",
    "rich",
    "sqlalchemy",
    "sqlite3",
    "stevedore",
    "tomlkit",
    "gepa_framework._core",
    "gepa_framework.app",
}


def imported(stderr: str) -> set[str]:
    lines = [line for line in stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip() for line in lines}


@pytest.mark.parametrize(
    "args", [("--help",), ("--version",), (), ("run", "--help"), ("plugins", "--help"), ("events", "--help")]
)
def test_help_imports_nothing_heavy(args: tuple[str, ...]) -> None:
    code = "from gepa_framework.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *args],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
        env=dict(os.environ),
    )
    names = imported(done.stderr)
    assert "gepa_framework.cli.main" in names
    assert done.stdout
    assert not HEAVY & names
