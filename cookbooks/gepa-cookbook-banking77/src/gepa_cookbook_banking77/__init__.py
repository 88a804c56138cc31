"""Banking77 for gepa-framework: a task container and a proposer that needs no model."""

from __future__ import annotations

__version__ = "0.1.0"
