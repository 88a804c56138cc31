"""The chronicle: what a reader of a finished run asks for, gathered from its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from gepa_framework.app.inspect.curve import Point
from gepa_framework.types import Event, EventBody, JSONValue
from gepa_framework.types.events import (
    CandidateAccepted,
    CandidateEvaluated,
    CandidateRegistered,
    CandidateRejected,
    FrontierUpdated,
    HeldoutCompleted,
    HeldoutStarted,
    IterationStarted,
    RunCancelled,
    RunExtended,
    RunFailed,
    RunFinished,
    RunStarted,
)


@attrs.define
class CandidateEntry:
    """What became of one candidate."""

    candidate_id: str
    parent_ids: tuple[str, ...]
    iteration: int
    source: str
    status: str
    components: Mapping[str, str]
    changed: tuple[str, ...]
    rationale: str
    minibatch: dict[str, JSONValue] = attrs.field(factory=dict)
    train_reward: float | None = None
    stderr: float | None = None
    coverage: int = 0
    heldout_reward: float | None = None
    heldout_stderr: float | None = None


_STATES: Mapping[type[EventBody], str] = {
    RunStarted: "initializing",
    CandidateRegistered: "seed_full_train",
    IterationStarted: "searching",
    HeldoutStarted: "heldout",
    RunFinished: "finished",
    RunFailed: "failed",
    RunCancelled: "cancelled",
    RunExtended: "extended",
}

#: States that one event brings from these alone.
_ONLY_AFTER = {"seed_full_train": ("initializing",), "extended": ("finished",)}


@attrs.define
class Chronicle:
    """A listener of the house: candidates, states and the best score over time.

    Attributes:
        candidates: By id, in the order in which they were registered.
        state_history: Every change of state.
        points: Rollouts used and best score, each time a candidate joined the pool.
        rollouts: Rollouts on record.
        extensions: What was raised, as ``key=value``.
        events: Events on record.
    """

    candidates: dict[str, CandidateEntry] = attrs.field(factory=dict)
    state_history: list[dict[str, JSONValue]] = attrs.field(factory=list)
    points: list[Point] = attrs.field(factory=list)
    rollouts: int = 0
    extensions: list[str] = attrs.field(factory=list)
    events: int = 0

    def on_event(self, event: Event) -> None:
        """Take note."""
        body = event.body
        self.events = event.seq
        self.rollouts += event.type in ("rollout.completed", "rollout.failed")
        self._note_state(event)
        note = _NOTES.get(type(body))
        if note is not None:
            note(self, body)

    def close(self) -> None:
        """Nothing is held."""

    def _note_state(self, event: Event) -> None:
        state = _STATES.get(type(event.body))
        before = self.state_history[-1]["to"] if self.state_history else "created"
        if state is None or state == before or before not in _ONLY_AFTER.get(state, (before,)):
            return
        self.state_history.append({"seq": event.seq, "from": before, "to": state, "trigger": event.type})

    def _extended(self, body: RunExtended) -> None:
        self.extensions.extend(body.sets)

    def _registered(self, body: CandidateRegistered) -> None:
        self.candidates[body.candidate_id] = CandidateEntry(
            candidate_id=body.candidate_id,
            parent_ids=tuple(body.parent_ids),
            iteration=body.iteration,
            source=body.source,
            status="registered",
            components=body.components,
            changed=tuple(body.changed),
            rationale=body.rationale,
        )

    def _accepted(self, body: CandidateAccepted) -> None:
        entry = self.candidates[body.candidate_id]
        entry.status = "accepted"
        entry.minibatch = {"before": body.before, "after": body.after, "rows": body.rows}

    def _rejected(self, body: CandidateRejected) -> None:
        entry = self.candidates[body.candidate_id]
        entry.status = "rejected"
        entry.minibatch = {
            "before": body.before,
            "after": body.after,
            "rows": body.rows,
            "reason": body.reason,
        }

    def _evaluated(self, body: CandidateEvaluated) -> None:
        entry = self.candidates[body.candidate_id]
        entry.train_reward, entry.stderr, entry.coverage = body.score, body.stderr, body.coverage

    def _joined(self, body: FrontierUpdated) -> None:
        entry = self.candidates.get(body.candidate_id)
        score = entry.train_reward if entry else None
        point = Point(self.rollouts, body.candidate_id, score, body.best_score, body.best_stderr)
        self.points.append(point)

    def _heldout(self, body: HeldoutCompleted) -> None:
        entry = self.candidates[body.candidate_id]
        entry.heldout_reward, entry.heldout_stderr = body.score, body.stderr


_NOTES: Mapping[type[EventBody], Callable[..., None]] = {
    CandidateRegistered: Chronicle._registered,  # noqa: SLF001
    CandidateAccepted: Chronicle._accepted,  # noqa: SLF001
    CandidateRejected: Chronicle._rejected,  # noqa: SLF001
    CandidateEvaluated: Chronicle._evaluated,  # noqa: SLF001
    FrontierUpdated: Chronicle._joined,  # noqa: SLF001
    HeldoutCompleted: Chronicle._heldout,  # noqa: SLF001
    RunExtended: Chronicle._extended,  # noqa: SLF001
}
