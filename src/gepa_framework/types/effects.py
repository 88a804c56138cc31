"""Effects as listeners may be told of them: what was asked, how long it took, what it came to."""

from __future__ import annotations

import enum

import attrs

from gepa_framework.types.rollout import RolloutFailure
from gepa_framework.types.usage import UNKNOWN, Usage


class EffectKind(enum.StrEnum):
    """What an effect asks of the outside world."""

    DESCRIBE = "describe"
    PROGRAM = "program"
    ROWS = "rows"
    ROLLOUT = "rollout"
    PROPOSAL = "proposal"


@attrs.frozen
class Effect:
    """One effect whose outcome is on record. Texts are left out: events have those that matter.

    Attributes:
        effect_id: Unique within the run and deterministic.
        kind: What was asked.
        began_ns: When it was begun, in nanoseconds since 1970 by the clock of the machine; looking into the
            cache, waiting for the container to bear it, and failed attempts are part of it.
        ended_ns: When its outcome was there; ``began_ns`` and what a clock that never jumps says since.
        iteration: 1-based; 0 for what is done before and after the search.
        stage: Why a rollout was run.
        candidate_id: The candidate that was run, or that a better one was asked for.
        row_id: The row that it was run on.
        cached: Whether the cache knew the answer, so that nobody was asked.
        superseded: Failed attempts before the outcome, oldest first.
        reward: The score of a rollout; ``None`` where it failed.
        failed: Family of the failure: that of a `RolloutFailure`, or ``proposal``; empty where there is none.
        code: Stable short name of what went wrong.
        message: What went wrong, free of secrets; may quote what was asked.
        usage: What the last attempt consumed, or the one that the cache knows of.
        model: The model that answered, where one did and it is known.
        requested_model: The model that was asked for, where one was.
    """

    effect_id: str
    kind: EffectKind
    began_ns: int
    ended_ns: int
    iteration: int = 0
    stage: str = ""
    candidate_id: str = ""
    row_id: str = ""
    cached: bool = False
    superseded: tuple[RolloutFailure, ...] = ()
    reward: float | None = None
    failed: str = ""
    code: str = ""
    message: str = ""
    usage: Usage = UNKNOWN
    model: str | None = None
    requested_model: str | None = None

    @property
    def attempts(self) -> int:
        """How often it was tried; 0 where the cache knew."""
        return 0 if self.cached else 1 + len(self.superseded)
