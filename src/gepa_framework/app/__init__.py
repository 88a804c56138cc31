"""The composition root: where configuration, plugins, machine, runtime and workspace become a run."""

from __future__ import annotations

from gepa_framework.app.result import GepaRunResult
from gepa_framework.app.run import GepaRun
from gepa_framework.app.verification import Verification

__all__ = ["GepaRun", "GepaRunResult", "Verification"]
