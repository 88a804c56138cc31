"""Distributions of plugins and cookbooks, written out to begin with."""

from __future__ import annotations

from gepa_framework.scaffold.naming import Named, named
from gepa_framework.scaffold.writing import rendered, write

__all__ = ["Named", "named", "rendered", "write"]
