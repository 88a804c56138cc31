"""Listener of gepa-framework that records a run in MLflow."""

from __future__ import annotations

__version__ = "0.1.0"
