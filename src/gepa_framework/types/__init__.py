"""The framework's values and Protocols: attrs and the standard library, nothing else."""

from __future__ import annotations

from gepa_framework.types.candidate import Candidate
from gepa_framework.types.commands import CommandSpec
from gepa_framework.types.effects import Effect, EffectKind
from gepa_framework.types.events import EVENT_TYPES, Event, EventBody, body_fields, event_fields
from gepa_framework.types.json import JSONObject, JSONScalar, JSONValue, canonical_json, compact_json, digest
from gepa_framework.types.plugin import BuildContext, Capability, Kind, NoConfig, PluginInfo
from gepa_framework.types.proposal import (
    Edit,
    EvidenceFrame,
    FrameKind,
    Joined,
    LeftOut,
    LineageStep,
    Overtaken,
    Proposal,
    ProposalRequest,
    RejectedAttempt,
    Repair,
)
from gepa_framework.types.protocols import (
    Cache,
    EffectListener,
    Executor,
    Listener,
    Listing,
    Preflight,
    Proposer,
    Stopper,
    Store,
    Transport,
)
from gepa_framework.types.report import ReportRun, ReportSection
from gepa_framework.types.rollout import (
    FailureKind,
    RolloutFailure,
    RolloutOutcome,
    RolloutRequest,
    RolloutResult,
    Stage,
)
from gepa_framework.types.run import RunView, StopReason
from gepa_framework.types.scenario import Artifact, Scenario, ScoreShape, Smoke, Tool
from gepa_framework.types.store import CHECKPOINT, COLUMNS, JournalTable, Row, Rows
from gepa_framework.types.task import ComponentSpec, ContainerInfo, Program, RowsRequest, TaskRow
from gepa_framework.types.usage import FREE, UNKNOWN, Usage

__all__ = [
    "CHECKPOINT",
    "COLUMNS",
    "EVENT_TYPES",
    "FREE",
    "UNKNOWN",
    "Artifact",
    "BuildContext",
    "Cache",
    "Candidate",
    "Capability",
    "CommandSpec",
    "ComponentSpec",
    "ContainerInfo",
    "Edit",
    "Effect",
    "EffectKind",
    "EffectListener",
    "Event",
    "EventBody",
    "EvidenceFrame",
    "Executor",
    "FailureKind",
    "FrameKind",
    "JSONObject",
    "JSONScalar",
    "JSONValue",
    "Joined",
    "JournalTable",
    "Kind",
    "LeftOut",
    "LineageStep",
    "Listener",
    "Listing",
    "NoConfig",
    "Overtaken",
    "PluginInfo",
    "Preflight",
    "Program",
    "Proposal",
    "ProposalRequest",
    "Proposer",
    "RejectedAttempt",
    "Repair",
    "ReportRun",
    "ReportSection",
    "RolloutFailure",
    "RolloutOutcome",
    "RolloutRequest",
    "RolloutResult",
    "Row",
    "Rows",
    "RowsRequest",
    "RunView",
    "Scenario",
    "ScoreShape",
    "Smoke",
    "Stage",
    "StopReason",
    "Stopper",
    "Store",
    "TaskRow",
    "Tool",
    "Transport",
    "Usage",
    "body_fields",
    "canonical_json",
    "compact_json",
    "digest",
    "event_fields",
]
