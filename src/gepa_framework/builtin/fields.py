"""What the configurations of several builtins have in common."""

from __future__ import annotations

import math
from pathlib import Path

import attrs

from gepa_framework.types import BuildContext


def finite(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    """Refuse NaN and the infinities."""
    if not math.isfinite(value):
        raise ValueError(f"'{attribute.name}' must be finite: {value}")


def file_path(path: str | None, context: BuildContext, default: str) -> Path:
    """Give the absolute path of the file that is configured, or of the default in the run's directory."""
    place = context.run_dir / default if path is None else context.base_dir / Path(path).expanduser()
    return place.absolute()
