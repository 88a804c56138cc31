"""Distributions of plugins, cookbooks and scenarios, written out to begin with."""

from __future__ import annotations

from gepa_framework.scaffold.naming import SCENARIO, Named, named
from gepa_framework.scaffold.writing import rendered, write

__all__ = ["SCENARIO", "Named", "named", "rendered", "write"]
