"""Where a run stands, folded from its events; what the displays show of it."""

from __future__ import annotations

from functools import singledispatch

import attrs

from gepa_framework.cli.display import decisions
from gepa_framework.cli.display.facts import RunFacts
from gepa_framework.cli.words import count
from gepa_framework.types import Event, EventBody
from gepa_framework.types import events as happened


@attrs.define
class Progress:
    """Where a run stands.

    Attributes:
        facts: What was known before it began.
        elapsed: Seconds worked on the run, as of the latest event.
        phase: What is under way.
        done: Rollouts of the phase that are in.
        expected: Rollouts of the phase; 0 where the phase is not one of rollouts.
        iteration: The latest iteration.
        seed_score: The seed's mean reward on the Pareto rows.
        seed_stderr: Its standard error.
        best_score: The best candidate's.
        best_stderr: Its standard error.
        best_id: The best candidate.
        pool: Candidates in the pool.
        frontier: Candidates on the frontier.
        rollouts: Rollouts on record, failed ones included.
        failed: Those that gave no score.
        cost_usd: US dollars; ``None`` when any part is unknown.
        at_least: Whether something was consumed whose cost the events do not tell.
        last: The latest decision.
    """

    facts: RunFacts
    elapsed: float = 0.0
    phase: str = "starting container…"
    done: int = 0
    expected: int = 0
    iteration: int = 0
    seed_score: float | None = None
    seed_stderr: float | None = None
    best_score: float | None = None
    best_stderr: float | None = None
    best_id: str = ""
    pool: int = 0
    frontier: int = 0
    rollouts: int = 0
    failed: int = 0
    cost_usd: float | None = 0.0
    at_least: bool = False
    last: str = ""

    def take(self, event: Event) -> None:
        """Take one event in."""
        self.elapsed = event.elapsed_seconds
        _fold(event.body, self)
        self.last = decisions.decision(event.body) or self.last

    def enter(self, phase: str, expected: int = 0) -> None:
        """Begin another phase."""
        self.phase, self.done, self.expected = phase, 0, expected

    def count_rollout(self) -> None:
        """Count one rollout, whatever came of it."""
        self.rollouts += 1
        self.done += 1

    def spend(self, cost_usd: float | None) -> None:
        """Count money; once a part is unknown, so is the whole."""
        if self.cost_usd is not None:
            self.cost_usd = None if cost_usd is None else self.cost_usd + cost_usd

    def phase_words(self) -> str:
        """Say what is under way, with how far it has come."""
        if not self.expected:
            return self.phase
        return f"{self.phase}, {self.done} of {count(self.expected, 'rollout')}"


@singledispatch
def _fold(_: EventBody, __: Progress) -> None:
    """Take in an event that changes nothing here."""


@_fold.register
def _(_: happened.ContractVerified, to: Progress) -> None:
    to.enter("loading the program and its rows")


@_fold.register
def _(_: happened.CandidateRegistered, to: Progress) -> None:
    if to.iteration == 0:
        to.enter("evaluating the seed", to.facts.pareto_rows)


@_fold.register
def _(body: happened.RolloutCompleted, to: Progress) -> None:
    to.count_rollout()
    to.spend(body.cost_usd)


@_fold.register
def _(_: happened.RolloutFailed, to: Progress) -> None:
    to.count_rollout()
    to.failed += 1
    to.at_least = True


@_fold.register
def _(body: happened.CandidateEvaluated, to: Progress) -> None:
    if body.iteration == 0:
        to.seed_score, to.seed_stderr = body.score, body.stderr
    to.enter("choosing a parent")


@_fold.register
def _(body: happened.FrontierUpdated, to: Progress) -> None:
    to.pool += 1
    to.frontier = len(body.survivors)
    to.best_id, to.best_score = body.best_candidate_id, body.best_score
    to.best_stderr = body.best_stderr


@_fold.register
def _(body: happened.IterationStarted, to: Progress) -> None:
    to.iteration = body.iteration
    to.enter("trying the parent", len(body.rows))


@_fold.register
def _(body: happened.MergeProposed, to: Progress) -> None:
    to.iteration = body.iteration
    to.enter("trying the merged child")


@_fold.register
def _(_: happened.ProposerStarted, to: Progress) -> None:
    to.enter("waiting for a proposal")


@_fold.register
def _(body: happened.ProposerCompleted, to: Progress) -> None:
    to.spend(body.cost_usd)
    to.enter("trying the child")


@_fold.register
def _(body: happened.ProposalRefused, to: Progress) -> None:
    to.spend(body.cost_usd)
    to.enter("waiting for a better proposal")


@_fold.register
def _(_: happened.ProposerFailed, to: Progress) -> None:
    to.at_least = True


@_fold.register
def _(_: happened.WorkAbandoned, to: Progress) -> None:
    to.at_least = True


@_fold.register
def _(_: happened.CandidateAccepted, to: Progress) -> None:
    to.enter("evaluating the child on all Pareto rows", to.facts.pareto_rows)


@_fold.register
def _(_: happened.StopDecided, to: Progress) -> None:
    to.enter("the search is over")


@_fold.register
def _(_: happened.RunExtended, to: Progress) -> None:
    if to.phase == "finished":
        to.enter("choosing a parent")


@_fold.register
def _(body: happened.HeldoutStarted, to: Progress) -> None:
    to.enter("scoring the heldout rows", len(body.candidates) * body.rows)


@_fold.register
def _(body: happened.RunFinished, to: Progress) -> None:
    to.cost_usd, to.at_least = body.cost_usd, False
    to.enter("finished")


@_fold.register
def _(_: happened.RunFailed, to: Progress) -> None:
    to.enter("failed")


@_fold.register
def _(_: happened.RunCancelled, to: Progress) -> None:
    to.enter("cancelled")
