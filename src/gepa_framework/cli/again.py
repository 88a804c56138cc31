"""What to type to go on: the command itself where a shell would find it, its path where not."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

_NAME = "gepa"


def program() -> str:
    """Give what starts this program from the user's shell."""
    here = Path(sys.argv[0])
    if here.name != _NAME:
        return _NAME
    found = shutil.which(_NAME)
    return _NAME if found is not None and Path(found).samefile(here) else str(here.absolute())


def resume_command(run_dir: Path | str) -> str:
    """Give the command that takes a run up again."""
    return f"{program()} resume {run_dir}"
