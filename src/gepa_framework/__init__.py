"""Evolve prompts and programs with GEPA, journalled and replayable."""

from __future__ import annotations

__version__ = "0.1.0"
