"""An environment of its own for what is written here, on top of the one that the tests run in."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest


@attrs.frozen
class Bench:
    """A virtual environment and a working directory.

    Attributes:
        work: Where commands run.
        python: The interpreter of the environment.
    """

    work: Path
    python: Path

    def run(self, *args: str, timeout: float = 100) -> str:
        """Run a module of the environment; give what it wrote once it ended well."""
        kept = {
            name: value for name, value in os.environ.items() if not re.match("GEPA_|PYTEST|PYTHON", name)
        }
        done = subprocess.run(
            [str(self.python), "-m", *args],
            cwd=self.work,
            env={**kept, "CI": "true", "COLUMNS": "100", "TERM": "dumb", "HOME": str(self.work)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def gepa(self, *args: str) -> str:
        """Run the command line in the environment."""
        return self.run("gepa_framework.cli", *args)

    def install(self, *paths: str) -> None:
        """Install distributions; what they need to be built is there, and no index is asked."""
        quiet = ("--quiet", "--disable-pip-version-check")
        self.run("pip", "install", *quiet, "--no-build-isolation", "--no-index", "--no-deps", *paths)

    def test(self, *paths: str, timeout: float = 100) -> str:
        """Run the tests of distributions, warnings as errors."""
        options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "error", "--import-mode=importlib")
        return self.run("pytest", *options, "--rootdir", str(self.work), *paths, timeout=timeout)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    venv.EnvBuilder(with_pip=False, symlinks=True).create(tmp_path / "venv")
    here = sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")})
    Path(here, "parent.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    work = tmp_path / "work"
    work.mkdir()
    return Bench(work, tmp_path / "venv/bin/python")
