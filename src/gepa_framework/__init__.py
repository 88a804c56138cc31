"""Evolve prompts and programs with GEPA, journalled and replayable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gepa_framework.types.version import VERSION

if TYPE_CHECKING:
    from gepa_framework.app import GepaRun, GepaRunResult, workspace_status

__version__ = VERSION

__all__ = ["GepaRun", "GepaRunResult", "__version__", "workspace_status"]


def __getattr__(name: str) -> object:
    """Import what is heavy when it is asked for, so that a plugin's import of a type stays cheap."""
    if name in __all__:
        from gepa_framework import app  # noqa: PLC0415

        return getattr(app, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
