# ruff: noqa: INP001 - a script, no package
"""Hold the import contracts of pyproject.toml against the sources.

import-linter reads sources, and the C++ module has none that it understands: its stub stands in for it, in a
copy of the package.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Hold every contract and give the exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch, "gepa_framework")
        shutil.copytree(ROOT / "src/gepa_framework", package, ignore=shutil.ignore_patterns("__pycache__"))
        (package / "_core.pyi").rename(package / "_core.py")
        members = [*ROOT.glob("plugins/*/src"), *ROOT.glob("cookbooks/*/src")]
        sys.path[:0] = [scratch, *sorted(map(str, members))]
        # The finder of an editable install would answer with the original.
        sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in type(finder).__module__]
        return lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)


if __name__ == "__main__":
    sys.exit(main())
