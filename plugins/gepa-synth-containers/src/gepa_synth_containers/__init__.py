"""Transport of gepa-framework that speaks to synth-containers task containers over HTTP."""

from __future__ import annotations

__version__ = "0.1.0"
