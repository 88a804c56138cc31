"""The composition root: where configuration, plugins, machine, runtime and workspace become a run."""

from __future__ import annotations

from gepa_framework.app.event_comparing import EventComparison, EventDifference, compare_events
from gepa_framework.app.event_lines import EventLine
from gepa_framework.app.event_replaying import EventReplay, replay_events
from gepa_framework.app.event_sources import read_events
from gepa_framework.app.event_tailing import follow_events, tail_events
from gepa_framework.app.reading import read_run
from gepa_framework.app.rebuilding import Rebuilt, rebuild_workspace
from gepa_framework.app.result import GepaRunResult
from gepa_framework.app.run import GepaRun
from gepa_framework.app.status import workspace_status
from gepa_framework.app.verification import Verification
from gepa_framework.app.workspace_check import WorkspaceCheck, check_workspace

__all__ = [
    "EventComparison",
    "EventDifference",
    "EventLine",
    "EventReplay",
    "GepaRun",
    "GepaRunResult",
    "Rebuilt",
    "Verification",
    "WorkspaceCheck",
    "check_workspace",
    "compare_events",
    "follow_events",
    "read_events",
    "read_run",
    "rebuild_workspace",
    "replay_events",
    "tail_events",
    "workspace_status",
]
