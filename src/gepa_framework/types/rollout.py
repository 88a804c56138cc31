"""Rollouts: one candidate run on one row, and what came of it."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias, cast

import attrs

from gepa_framework.types.candidate import NO_TEXTS, Candidate, freeze_texts
from gepa_framework.types.json import EMPTY, JSONObject, JSONValue, freeze_mapping
from gepa_framework.types.task import TaskRow
from gepa_framework.types.usage import UNKNOWN, Usage


class Stage(enum.StrEnum):
    """Why a rollout is run."""

    SEED = "seed_full_train"
    PARENT = "parent_minibatch"
    CHILD = "candidate_minibatch"
    FULL = "candidate_full_train"
    HELDOUT = "heldout"


# The one that an empty mapping is frozen to: what is known to be frozen is not looked at again.
_NO_SCORES = cast("Mapping[str, float]", EMPTY)


def freeze_scores(value: Mapping[str, float]) -> Mapping[str, float]:
    """Give a read-only copy."""
    if value is _NO_SCORES:
        return value
    return MappingProxyType(dict(value)) if len(value) else _NO_SCORES


def _finite(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{attribute.name} must be a finite number, got {value!r}")


@attrs.frozen
class RolloutRequest:
    """One candidate to be run on one row.

    Attributes:
        rollout_id: Unique and deterministic: a container may use it to run a rollout only once.
        candidate: The texts to run with.
        row: The row to run on.
        stage: Why it is run; not part of what is asked.
        task_id: The program's task.
        policy: The ``[policy]`` table; it names environment variables, never credentials.
        poll_first: The rollout may have been submitted before: ask for it by id before submitting it.
    """

    rollout_id: str
    candidate: Candidate
    row: TaskRow
    stage: Stage
    task_id: str = ""
    policy: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)
    poll_first: bool = False


class FailureKind(enum.StrEnum):
    """The family that a failed rollout belongs to."""

    TIMEOUT = "timeout"
    TRANSPORT = "transport"
    CONTRACT = "contract"
    CONTAINER = "container"
    CANCELLED = "cancelled"


@attrs.frozen
class RolloutResult:
    """A rollout that was scored.

    Attributes:
        reward: The score, finite; higher is better.
        objectives: Further named scores.
        metrics: Named reward terms.
        output: What the candidate produced, as far as the container tells.
        feedback: What the container says about it for whoever improves the candidate, besides `rationales`
            and `side_info`.
        usage: What it consumed.
        trace_digest: SHA-256 of the container's trace, where it gave one.
        status_detail: The container's own words on how it ended.
        rationales: Objective name to why it was scored so.
        side_info: What the container thinks helps to improve the candidate.
    """

    reward: float = attrs.field(validator=_finite)
    objectives: Mapping[str, float] = attrs.field(default=_NO_SCORES, converter=freeze_scores)
    metrics: Mapping[str, float] = attrs.field(default=_NO_SCORES, converter=freeze_scores)
    output: JSONValue = None
    feedback: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)
    usage: Usage = UNKNOWN
    trace_digest: str = ""
    status_detail: str = ""
    rationales: Mapping[str, str] = attrs.field(default=NO_TEXTS, converter=freeze_texts)
    side_info: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)


@attrs.frozen
class RolloutFailure:
    """A rollout that gave no score. It is data: recorded, retried by policy, never a silent zero.

    Attributes:
        kind: The family.
        code: Stable short name of what went wrong. ``connect`` says that nobody answered at all: if that is
            so after the last attempt, it is the container that failed, and the run stops to be resumed.
        message: What went wrong, free of secrets.
        retryable: Whether asking again may help.
        http_status: The HTTP status, where there was one.
        retry_after_seconds: How long the container asked to be left alone.
        usage: What it consumed all the same.
    """

    kind: FailureKind
    code: str
    message: str
    retryable: bool = False
    http_status: int | None = None
    retry_after_seconds: float | None = None
    usage: Usage = UNKNOWN


RolloutOutcome: TypeAlias = RolloutResult | RolloutFailure
