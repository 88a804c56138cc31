"""Evolve prompts and programs with GEPA, journalled and replayable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gepa_framework.types.version import VERSION

if TYPE_CHECKING:
    from gepa_framework.app import GepaRun, GepaRunResult

__version__ = VERSION

__all__ = ["GepaRun", "GepaRunResult", "__version__"]


def __getattr__(name: str) -> object:
    """Import what is heavy when it is asked for, so that a plugin's import of a type stays cheap."""
    if name in ("GepaRun", "GepaRunResult"):
        from gepa_framework import app  # noqa: PLC0415

        return getattr(app, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
