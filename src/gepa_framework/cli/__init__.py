"""The command line: click and rich live here and nowhere else."""

from __future__ import annotations
