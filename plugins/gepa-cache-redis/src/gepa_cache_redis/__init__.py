"""Cache of gepa-framework that keeps answers in a Redis server."""

from __future__ import annotations

__version__ = "0.1.0"
