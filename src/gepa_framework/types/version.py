"""The framework's version; one place for code, package and wheel."""

from __future__ import annotations

VERSION = "0.1.0"
