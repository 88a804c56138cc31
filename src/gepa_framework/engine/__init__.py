"""The engine: a pure, deterministic machine that runs GEPA on commands and outcomes."""

from __future__ import annotations

from gepa_framework.engine.effects import (
    Cancel,
    Command,
    Completed,
    Describe,
    Input,
    LoadProgram,
    LoadRows,
    Outcome,
    ProposalFailure,
    Propose,
    Rollout,
    Tick,
)
from gepa_framework.engine.machine import Machine, Status, Step
from gepa_framework.engine.plan import (
    Accepting,
    ComponentRule,
    EvidenceLimits,
    FailedRollouts,
    Leakage,
    Limits,
    Plan,
    Sampling,
    Selecting,
)
from gepa_framework.engine.pool import Pool
from gepa_framework.engine.request import request_fields, request_text
from gepa_framework.engine.run import HeldoutScore, Run

__all__ = [
    "Accepting",
    "Cancel",
    "Command",
    "Completed",
    "ComponentRule",
    "Describe",
    "EvidenceLimits",
    "FailedRollouts",
    "HeldoutScore",
    "Input",
    "Leakage",
    "Limits",
    "LoadProgram",
    "LoadRows",
    "Machine",
    "Outcome",
    "Plan",
    "Pool",
    "ProposalFailure",
    "Propose",
    "Rollout",
    "Run",
    "Sampling",
    "Selecting",
    "Status",
    "Step",
    "Tick",
    "request_fields",
    "request_text",
]
