"""Status: where runs stand, read while they are written, in a time that does not grow with them."""

from __future__ import annotations

from gepa_framework.app.status.directory import workspace_status
from gepa_framework.app.status.freshness import Freshness, Projection
from gepa_framework.app.status.reports import Report, last_report, write_report
from gepa_framework.app.status.source import Source, read_source

__all__ = [
    "Freshness",
    "Projection",
    "Report",
    "Source",
    "last_report",
    "read_source",
    "workspace_status",
    "write_report",
]
