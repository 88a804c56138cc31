"""Proposer for gepa-framework that asks a model through a local ``codex app-server``."""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["__version__"]
