"""What is counted of a run, from its events alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from gepa_framework.types import Event, EventBody, JSONScalar, Stage, events

#: States by the event that brings them, as `gepa status` names them.
_STATES: Final[Mapping[type[EventBody], str]] = {
    events.RunStarted: "initializing",
    events.CandidateRegistered: "seed_full_train",
    events.IterationStarted: "searching",
    events.HeldoutStarted: "heldout",
    events.RunFinished: "finished",
    events.RunFailed: "failed",
    events.RunCancelled: "cancelled",
    events.RunExtended: "extended",
}
#: States that their event brings from this one alone.
_ONLY_AFTER: Final = {"seed_full_train": "initializing", "extended": "finished"}
#: What becomes of a run that its process leaves before it is over: it can be resumed.
INTERRUPTED: Final = "interrupted"
ENDED: Final = ("finished", "failed", "cancelled")
STATES: Final = ("created", *_STATES.values(), INTERRUPTED)
ROLLOUT: Final = "rollout"
PROPOSER: Final = "proposer"


@attrs.define
class Tally:
    """Counts and latest values; unknown is ``None``, never zero.

    Attributes:
        seq: Number of the last event, and so of all.
        heard_at: When it was heard, or the run was left, in seconds since the epoch; 0 before the first.
        elapsed_seconds: Time worked on the run, as of the last event.
        state: Where the run stands.
        seed: The run's seed.
        config_digest: What it is configured with.
        limits: Its hard limits by name.
        rollouts: By stage and outcome.
        failures: Failed rollouts by kind.
        iterations: The greatest number of an iteration.
        skipped: Parents, or proposals that changed nothing, that an iteration did not go on with.
        proposals: Answers of the proposer by what became of them.
        dropped: Proposals that could be used and were not, by reason.
        failures_in_a_row: Proposals that failed since one could be used.
        candidates: By decision.
        pool: Candidates that joined the pool.
        frontier: Those of them on the reduced frontier.
        best_score: Of the best candidate, on the Pareto rows.
        best_stderr: Its standard error.
        heldout: Heldout scores by role; of several ties, the best.
        verdict: Of the heldout rows.
        cost_usd: US dollars by who was paid, as far as it is known.
        tokens: By who was paid, as far as it is known.
        unpriced: Calls whose cost is not known.
        abandoned: Calls that were given up under way.
        error_code: Why the run failed.
    """

    seq: int = 0
    heard_at: float = 0.0
    elapsed_seconds: float = 0.0
    state: str = "created"
    seed: int | None = None
    config_digest: str = ""
    limits: Mapping[str, JSONScalar] = attrs.field(factory=dict)
    rollouts: Counter[tuple[str, str]] = attrs.field(factory=Counter)
    failures: Counter[str] = attrs.field(factory=Counter)
    iterations: int = 0
    skipped: int = 0
    proposals: Counter[str] = attrs.field(factory=Counter)
    dropped: Counter[str] = attrs.field(factory=Counter)
    failures_in_a_row: int = 0
    candidates: Counter[str] = attrs.field(factory=Counter)
    pool: int = 0
    frontier: int = 0
    best_score: float | None = None
    best_stderr: float | None = None
    heldout: dict[str, float] = attrs.field(factory=dict)
    verdict: str = ""
    cost_usd: dict[str, float] = attrs.field(factory=dict)
    tokens: Counter[str] = attrs.field(factory=Counter)
    unpriced: Counter[str] = attrs.field(factory=Counter)
    abandoned: Counter[str] = attrs.field(factory=Counter)
    error_code: str = ""

    def add(self, event: Event) -> None:
        """Count one event."""
        body = event.body
        self.seq, self.elapsed_seconds = event.seq, event.elapsed_seconds
        state = _STATES.get(type(body), self.state)
        if self.state == _ONLY_AFTER.get(state, self.state):
            self.state = state
        note = _NOTES.get(type(body))
        if note is not None:
            note(self, body)

    def left(self, now: float) -> None:
        """Note that its process is done with the run."""
        if self.state not in ENDED:
            # No event tells of it, and the last one may be long ago where the run waited in vain.
            self.state, self.heard_at = INTERRUPTED, now

    @property
    def active(self) -> bool:
        """Whether the run is being worked on."""
        return self.state not in (*ENDED, INTERRUPTED)

    @property
    def used(self) -> Mapping[str, float]:
        """What is used of each limit that events tell of, by the limit's name; what was given up included."""
        heldout = sum(count for (stage, _), count in self.rollouts.items() if stage == Stage.HELDOUT)
        total = self.rollouts.total() + self.abandoned[ROLLOUT]
        return {
            "train_rollouts": total - heldout,
            "heldout_rollouts": heldout,
            "total_rollouts": total,
            "proposals": self.proposals.total() + self.abandoned[PROPOSER],
            "iterations": self.iterations,
            "seconds": self.elapsed_seconds,
            "cost_usd": sum(self.cost_usd.values()),
            "total_tokens": self.tokens.total(),
        }

    def pay(self, who: str, cost_usd: float | None, tokens: int | None) -> None:
        """Enter what a call took."""
        self.unpriced[who] += cost_usd is None
        self.cost_usd[who] = self.cost_usd.get(who, 0.0) + (cost_usd or 0.0)
        self.tokens[who] += tokens or 0


def _started(tally: Tally, body: events.RunStarted) -> None:
    tally.seed, tally.config_digest, tally.limits = body.seed, body.config_digest, dict(body.limits)


def _extended(tally: Tally, body: events.RunExtended) -> None:
    tally.limits = dict(body.limits)


def _scored(tally: Tally, body: events.RolloutCompleted) -> None:
    tally.rollouts[body.stage, "completed"] += 1
    tally.pay(ROLLOUT, body.cost_usd, body.total_tokens)


def _failed(tally: Tally, body: events.RolloutFailed) -> None:
    tally.rollouts[body.stage, "failed"] += 1
    tally.failures[body.kind] += 1


def _begun(tally: Tally, body: events.IterationStarted | events.MergeProposed) -> None:
    tally.iterations = max(tally.iterations, body.iteration)


def _skipped(tally: Tally, _body: events.IterationSkipped) -> None:
    tally.skipped += 1


def _proposed(tally: Tally, body: events.ProposerCompleted) -> None:
    tally.proposals["completed"] += 1
    tally.failures_in_a_row = 0
    tally.pay(PROPOSER, body.cost_usd, body.total_tokens)


def _refused(tally: Tally, body: events.ProposalRefused) -> None:
    tally.proposals["refused"] += 1
    tally.pay(PROPOSER, body.cost_usd, body.total_tokens)


def _unproposed(tally: Tally, _body: events.ProposerFailed) -> None:
    tally.proposals["failed"] += 1
    tally.failures_in_a_row += 1


def _duplicate(tally: Tally, _body: events.CandidateDuplicateSkipped) -> None:
    tally.dropped["duplicate"] += 1


def _overtaken(tally: Tally, body: events.ProposalOvertaken) -> None:
    # It could be used, and is paid for; its event is the only one, and does not tell what it took.
    tally.proposals["overtaken"] += 1
    tally.failures_in_a_row = 0
    tally.pay(PROPOSER, None, None)
    tally.dropped["overtaken"] += body.action == "dropped"


def _accepted(tally: Tally, _body: events.CandidateAccepted) -> None:
    tally.candidates["accepted"] += 1


def _rejected(tally: Tally, _body: events.CandidateRejected) -> None:
    tally.candidates["rejected"] += 1


def _joined(tally: Tally, body: events.FrontierUpdated) -> None:
    tally.pool += 1
    tally.frontier = len(body.survivors)
    tally.best_score, tally.best_stderr = body.best_score, body.best_stderr


def _held_out(tally: Tally, body: events.HeldoutCompleted) -> None:
    if body.score is not None:
        tally.heldout[body.role] = max(body.score, tally.heldout.get(body.role, body.score))


def _judged(tally: Tally, body: events.HeldoutVerdict) -> None:
    tally.verdict = body.verdict


def _abandoned(tally: Tally, body: events.WorkAbandoned) -> None:
    tally.abandoned.update({ROLLOUT: body.rollouts, PROPOSER: body.proposals})


def _broken(tally: Tally, body: events.RunFailed) -> None:
    tally.error_code = body.error_code


_NOTES: Final[Mapping[type[EventBody], Callable[..., None]]] = {
    events.RunStarted: _started,
    events.RunExtended: _extended,
    events.RolloutCompleted: _scored,
    events.RolloutFailed: _failed,
    events.IterationStarted: _begun,
    events.MergeProposed: _begun,
    events.IterationSkipped: _skipped,
    events.ProposerCompleted: _proposed,
    events.ProposalRefused: _refused,
    events.ProposerFailed: _unproposed,
    events.CandidateDuplicateSkipped: _duplicate,
    events.ProposalOvertaken: _overtaken,
    events.CandidateAccepted: _accepted,
    events.CandidateRejected: _rejected,
    events.FrontierUpdated: _joined,
    events.HeldoutCompleted: _held_out,
    events.HeldoutVerdict: _judged,
    events.WorkAbandoned: _abandoned,
    events.RunFailed: _broken,
}
