"""Reports of runs: pictures, pages and text made of what `gepa_framework.app.inspect` tells."""

from __future__ import annotations
