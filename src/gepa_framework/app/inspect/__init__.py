"""Looking at runs: what is told of them, as values that have no idea of how they are shown.

Nothing here writes, waits for a writer, or replays: events and views are read as they are, so that a run of a
hundred thousand rollouts is told of within a second.
"""

from __future__ import annotations

from gepa_framework.app.inspect.whole import (
    CandidatesDiff,
    CandidateStory,
    RunReport,
    as_json,
    compare_candidates,
    explain_candidate,
    inspect_candidate,
    inspect_run,
)
from gepa_framework.app.inspect.why import Why

__all__ = [
    "CandidateStory",
    "CandidatesDiff",
    "RunReport",
    "Why",
    "as_json",
    "compare_candidates",
    "explain_candidate",
    "inspect_candidate",
    "inspect_run",
]
