"""Imports what it forgot to require."""

from __future__ import annotations

import gf_not_there  # noqa: F401
