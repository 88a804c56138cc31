"""Commands that the machine emits, and the inputs that it is fed."""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import attrs

from gepa_framework.engine.limits import Limits
from gepa_framework.engine.request import request_text
from gepa_framework.types import (
    UNKNOWN,
    Candidate,
    ContainerInfo,
    Program,
    Proposal,
    ProposalRequest,
    RolloutOutcome,
    RowsRequest,
    Stage,
    Stopper,
    TaskRow,
    Usage,
)


@attrs.frozen
class Describe:
    """Negotiate the contract with the container."""

    effect_id: str


@attrs.frozen
class LoadProgram:
    """Fetch the program."""

    effect_id: str


@attrs.frozen
class LoadRows:
    """Fetch rows of a split."""

    effect_id: str
    request: RowsRequest


@attrs.frozen
class Rollout:
    """Run a candidate on a row."""

    effect_id: str
    candidate: Candidate
    row: TaskRow
    stage: Stage
    iteration: int
    task_id: str


@attrs.frozen
class Propose:
    """Ask for a proposal.

    Attributes:
        effect_id: Which effect it is.
        request: What is asked.
        text: The request as canonical JSON, as it is kept.
    """

    effect_id: str
    request: ProposalRequest
    text: str = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """Put the request into words once; digest, cache and artefact are made of the same text."""
        object.__setattr__(self, "text", request_text(self.request))

    @property
    def request_digest(self) -> str:
        """Give the SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


Command: TypeAlias = Describe | LoadProgram | LoadRows | Rollout | Propose


@attrs.frozen
class ProposalFailure:
    """A proposal that did not come, retries included.

    Attributes:
        code: Stable short name of what went wrong.
        message: What went wrong, free of secrets.
        usage: What was consumed all the same.
    """

    code: str
    message: str
    usage: Usage = UNKNOWN


Outcome: TypeAlias = (
    ContainerInfo | Program | tuple[TaskRow, ...] | RolloutOutcome | Proposal | ProposalFailure
)


@attrs.frozen
class Completed:
    """A command was carried out; this is what came of it.

    Attributes:
        effect_id: Which one.
        outcome: What came of the last attempt.
        superseded: What the attempts before it consumed; they failed, and were paid for.
    """

    effect_id: str
    outcome: Outcome
    superseded: tuple[Usage, ...] = ()


@attrs.frozen
class Tick:
    """Time has passed; how much is told beside every input."""


@attrs.frozen
class Cancel:
    """The run is to end for good.

    Attributes:
        reason: Why.
        begun: Effect ids of commands that are under way, and paid for.
    """

    reason: str
    begun: tuple[str, ...] = ()


@attrs.frozen
class Abandoned:
    """Commands that were revoked had begun, and are paid for.

    Attributes:
        effect_ids: Which ones.
    """

    effect_ids: tuple[str, ...]


@attrs.frozen
class Extend:
    """Limits are raised; a search that one of them ended goes on.

    Attributes:
        limits: Those that hold from here on, all of them.
        sets: What was raised, as ``key=value``, for the record.
        stoppers: Asked from here on; those of before where ``None``. The record leaves them out: whoever
            replays it makes them again.
    """

    limits: Limits
    sets: tuple[str, ...] = ()
    stoppers: tuple[Stopper, ...] | None = None


Input: TypeAlias = Completed | Tick | Cancel | Abandoned | Extend
