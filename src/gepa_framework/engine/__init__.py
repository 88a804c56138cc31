"""The engine: a pure, deterministic machine that runs GEPA on commands and outcomes."""

from __future__ import annotations

from gepa_framework.engine.effects import (
    Cancel,
    Command,
    Completed,
    Describe,
    Extend,
    Input,
    LoadProgram,
    LoadRows,
    Outcome,
    ProposalFailure,
    Propose,
    Rollout,
    Tick,
)
from gepa_framework.engine.extending import check_extension, heldout_reserve
from gepa_framework.engine.machine import Machine, Status, Step
from gepa_framework.engine.plan import (
    Accepting,
    ComponentRule,
    FailedRollouts,
    Limits,
    Plan,
    Sampling,
    Selecting,
)
from gepa_framework.engine.pool import Pool
from gepa_framework.engine.proposing import request_fields
from gepa_framework.engine.run import HeldoutScore, Run

__all__ = [
    "Accepting",
    "Cancel",
    "Command",
    "Completed",
    "ComponentRule",
    "Describe",
    "Extend",
    "FailedRollouts",
    "HeldoutScore",
    "Input",
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
    "check_extension",
    "heldout_reserve",
    "request_fields",
]
