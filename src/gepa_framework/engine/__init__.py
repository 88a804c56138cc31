"""The engine: a pure, deterministic machine that runs GEPA on commands and outcomes."""

from __future__ import annotations

from gepa_framework.engine.deployment import deployed, heldout_best
from gepa_framework.engine.effects import (
    Abandoned,
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
from gepa_framework.engine.improvement import ImprovementVerdict, Verdict
from gepa_framework.engine.limits import Estimates, Limits
from gepa_framework.engine.machine import Machine, Status, Step
from gepa_framework.engine.plan import (
    Accepting,
    ComponentRule,
    DeploymentRule,
    EvidenceLimits,
    FailedRollouts,
    Generating,
    Leakage,
    Merging,
    Pipelining,
    Plan,
    Sampling,
    Selecting,
    Weighing,
)
from gepa_framework.engine.pool import Member, Pool
from gepa_framework.engine.prices import Price, Prices
from gepa_framework.engine.request import request_fields, request_text
from gepa_framework.engine.run import HeldoutScore, Run

__all__ = [
    "Abandoned",
    "Accepting",
    "Cancel",
    "Command",
    "Completed",
    "ComponentRule",
    "DeploymentRule",
    "Describe",
    "Estimates",
    "EvidenceLimits",
    "Extend",
    "FailedRollouts",
    "Generating",
    "HeldoutScore",
    "ImprovementVerdict",
    "Input",
    "Leakage",
    "Limits",
    "LoadProgram",
    "LoadRows",
    "Machine",
    "Member",
    "Merging",
    "Outcome",
    "Pipelining",
    "Plan",
    "Pool",
    "Price",
    "Prices",
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
    "Weighing",
    "check_extension",
    "deployed",
    "heldout_best",
    "heldout_reserve",
    "request_fields",
    "request_text",
]
