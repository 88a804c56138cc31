"""The engine: a pure, deterministic machine that runs GEPA on commands and outcomes."""

from __future__ import annotations

from gepa_framework.engine.deployment import deployed, heldout_best
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
    DeploymentRule,
    FailedRollouts,
    Limits,
    Plan,
    Sampling,
    Selecting,
)
from gepa_framework.engine.pool import Member, Pool
from gepa_framework.engine.proposing import request_fields
from gepa_framework.engine.run import HeldoutScore, Run
from gepa_framework.engine.verdict import ImprovementVerdict, Verdict

__all__ = [
    "Accepting",
    "Cancel",
    "Command",
    "Completed",
    "ComponentRule",
    "DeploymentRule",
    "Describe",
    "FailedRollouts",
    "HeldoutScore",
    "ImprovementVerdict",
    "Input",
    "Limits",
    "LoadProgram",
    "LoadRows",
    "Machine",
    "Member",
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
    "Verdict",
    "deployed",
    "heldout_best",
    "request_fields",
]
