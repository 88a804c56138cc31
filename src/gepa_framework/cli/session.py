"""What one call of the command line knows of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


# A dataclass, because importing attrs would cost `gepa --help` more than all else.
@dataclass
class Session:
    """Shared by the commands and by what reports their failures.

    Attributes:
        json: Whether the answer is one JSON object on stdout.
        verbose: Whether tracebacks are wanted.
        run_dir: The run under way, once there is one.
    """

    json: bool = False
    verbose: bool = False
    run_dir: Path | None = None
