"""Listener of gepa-framework that tells Prometheus where a run stands."""

from __future__ import annotations

__version__ = "0.1.0"
