"""The state that the flows of one run share."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence

import attrs

from gepa_framework.engine.budget import Budget, Need, Purse
from gepa_framework.engine.effects import Command, Outcome, ProposalFailure, Rollout
from gepa_framework.engine.flow import Batch, Flow, T
from gepa_framework.engine.improvement import ImprovementVerdict
from gepa_framework.engine.ledger import Ledger
from gepa_framework.engine.limits import Limits
from gepa_framework.engine.plan import FailedRollouts, Plan
from gepa_framework.engine.pool import Pool
from gepa_framework.engine.spans import Spans
from gepa_framework.engine.turn import Turn
from gepa_framework.errors import InvariantError, RunFailedError
from gepa_framework.types import (
    FREE,
    Candidate,
    ContainerInfo,
    EventBody,
    Program,
    Proposal,
    RolloutFailure,
    RolloutOutcome,
    RolloutResult,
    RunView,
    Stage,
    Stopper,
    StopReason,
    TaskRow,
    Usage,
)
from gepa_framework.types.events import RolloutCompleted, RolloutFailed

#: The latest rollouts that the failure rate is taken over, and how many it takes to judge.
FAILURE_WINDOW, FAILURE_MINIMUM = 32, 8


@attrs.define
class Run:
    """Everything that is known at one moment of a run.

    Attributes:
        plan: What was decided before it began.
        stoppers: Asked in this order.
        emit: Puts an event on the record.
        limits: The limits that hold now.
        reopened: Whether limits were raised after the search, so that there is to be more of it.
        heldout_candidates: Those whose heldout rows were asked for; nobody's are asked for twice.
        budget: What is set aside.
        outside: What is set aside for the seed's evaluation and the heldout rows.
        latest: The latest reward on each training row, whoever had it.
        strata: Number of the stratum of each row of the minibatch pool, once it was asked for.
        spans: What of the rows must not be quoted, once it was asked for.
        elapsed: Seconds worked on the run, as of the latest input.
        iteration: The iteration that was begun last; 0 for the seed.
        finished: Iterations that are over; behind `iteration` while one is under way.
        minibatches: Minibatches drawn.
        accepted: Children accepted.
        merges: Merges tried.
        accepted_at_merge: Children accepted when a merge was last tried.
        heldout_scores: By candidate, as far as they are in.
        heldout_rewards: By candidate, then by the position of the heldout row.
        verdict: Of the selected candidate; there once the heldout rows are in.
        limbo: Effect ids of commands that were revoked, of which it is not known yet whether they had begun.
        improved_at: How many iterations were over, its own counted, when the best score last rose.
    """

    plan: Plan
    stoppers: Sequence[Stopper]
    emit: Callable[[EventBody], None]
    limits: Limits = attrs.field(init=False)
    budget: Budget = attrs.field(init=False)
    outside: Purse = attrs.field(init=False)
    elapsed: float = 0.0
    iteration: int = 0
    finished: int = 0
    improved_at: int = 0
    minibatches: int = 0
    accepted: int = 0
    merges: int = 0
    accepted_at_merge: int = 0
    limbo: set[str] = attrs.field(factory=set)
    searching: bool = False
    reopened: bool = False
    proposer_failures: int = 0
    highest_reward: float = 0.0
    latest: dict[str, float] = attrs.field(factory=dict)
    strata: list[int] = attrs.field(factory=list)
    spans: Spans | None = None
    ledger: Ledger = attrs.field(factory=Ledger)
    stopped: StopReason | None = None
    heldout_scores: dict[str, HeldoutScore] = attrs.field(factory=dict)
    heldout_candidates: set[str] = attrs.field(factory=set)
    heldout_rewards: dict[str, Mapping[int, float]] = attrs.field(factory=dict)
    verdict: ImprovementVerdict | None = None
    info: ContainerInfo | None = None
    _program: Program | None = None
    targets: tuple[str, ...] = ()
    train: tuple[TaskRow, ...] = ()
    heldout: tuple[TaskRow, ...] = ()
    pareto: tuple[TaskRow, ...] = ()
    minibatch_pool: tuple[TaskRow, ...] = ()
    _pool: Pool | None = None
    _seed: Candidate | None = None
    _recent: deque[bool] = attrs.field(factory=lambda: deque(maxlen=FAILURE_WINDOW))
    _causes: Counter[str] = attrs.field(factory=Counter)

    def __attrs_post_init__(self) -> None:
        plan = self.plan
        self.limits = plan.limits
        self.budget = Budget(self.ledger, plan.estimates, self.limbo)
        pareto = len(plan.pareto) or len(plan.train)
        self.outside = self.budget.set_aside(Need(train=pareto, heldout=2 * len(plan.heldout)))

    @property
    def program(self) -> Program:
        """The program; known once set-up is over."""
        return _known(self._program)

    @program.setter
    def program(self, program: Program) -> None:
        self._program = program

    @property
    def pool(self) -> Pool:
        """The pool; there once set-up is over."""
        return _known(self._pool)

    @pool.setter
    def pool(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def seed(self) -> Candidate:
        """The seed candidate; known once set-up is over."""
        return _known(self._seed)

    @seed.setter
    def seed(self, candidate: Candidate) -> None:
        self._seed = candidate

    @property
    def has_pool(self) -> bool:
        """Whether a candidate was evaluated in full yet."""
        return self._pool is not None and bool(self._pool.members)

    @property
    def perfect_score(self) -> float | None:
        """The reward that cannot be bettered, where there is one."""
        if self.plan.perfect_score is not None:
            return self.plan.perfect_score
        # A reward above one shows that one is not the top of this task's scale.
        return 1.0 if self.highest_reward <= 1.0 else None

    @property
    def in_flight(self) -> int:
        """Iterations under way."""
        return self.iteration - self.finished

    def view(self, *, begun: bool = False) -> RunView:
        """Give the run as stoppers see it.

        Args:
            begun: Count iterations under way, as one does who asks whether to begin another.
        """
        usage = self.ledger.usage
        return RunView(
            iteration=self.iteration if begun else self.finished,
            rollouts=self.ledger.rollouts,
            candidates=len(self.pool.members),
            best_candidate_id=self.pool.best.candidate.id,
            best_score=self.pool.best_score,
            iterations_since_improvement=max(0, self.finished - self.improved_at),
            elapsed_seconds=self.elapsed,
            cost_usd=usage.cost_usd,
            total_tokens=usage.total_tokens,
            proposals=self.ledger.proposals,
            in_flight=self.in_flight,
        )

    def rollouts(
        self,
        candidate: Candidate,
        rows: Sequence[TaskRow],
        stage: Stage,
        turn: Turn,
        *,
        needless: Callable[[Mapping[str, RolloutOutcome]], bool] | None = None,
    ) -> Flow[list[RolloutOutcome]]:
        """Run a candidate on rows and give the outcomes in their order.

        Args:
            candidate: What is run.
            rows: Where on.
            stage: Why.
            turn: The iteration.
            needless: Told what is in so far, by row id; true when the rest does not matter any more.
        """
        task_id = self.program.task_id
        head = f"rollout/{turn.number}/{stage.value}/{candidate.id}"
        commands = tuple(
            Rollout(f"{head}/{row.split}/{row.id}", candidate, row, stage, turn.number, task_id)
            for row in rows
        )
        purse = turn.purse or self.outside
        seen: dict[str, RolloutOutcome] = {}

        def observe(command: Command, outcome: Outcome) -> None:
            given = self._observe(command, outcome, purse)
            if needless is not None:
                seen[command.effect_id] = given

        def rest() -> Collection[str]:
            known = {c.row.id: seen[c.effect_id] for c in commands if c.effect_id in seen}
            hopeless = needless is not None and needless(known)
            return [c.effect_id for c in commands if c.effect_id not in seen] if hopeless else ()

        outcomes = yield Batch(
            commands,
            observe,
            full=stage is Stage.FULL,
            needless=None if needless is None else rest,
        )
        return [_rollout_outcome(outcome) for outcome in outcomes]

    def _observe(self, command: Command, outcome: Outcome, purse: Purse) -> RolloutOutcome:
        if not isinstance(command, Rollout):
            raise InvariantError(f"{command.effect_id} is not a rollout")
        given = _rollout_outcome(outcome)
        usage, stage = given.usage, command.stage
        failed = isinstance(given, RolloutFailure)
        if usage is not FREE:
            usage = self.plan.prices.of_rollout(usage)
            self.budget.learn_rollout(usage)
        self.ledger.count_rollout(stage, usage, failed=failed)
        purse.take_rollout(stage)
        if isinstance(given, RolloutFailure):
            self._causes[f"{given.kind.value} {given.code}: {given.message}"] += 1
            self.emit(_failed(command, given))
        else:
            if stage is not Stage.HELDOUT:
                # What heldout rows gave must not steer a search that goes on after it.
                self.highest_reward = max(self.highest_reward, given.reward)
                self.latest[command.row.id] = given.reward
            self.emit(_completed(command, given, usage))
        if stage is not Stage.HELDOUT:
            self._recent.append(failed)
            if isinstance(given, RolloutFailure):
                self._judge_failure(given)
        return given

    def count_attempt(self, usage: Usage) -> None:
        """Enter a failed attempt at a rollout in the books that another one took the place of."""
        usage = self.plan.prices.of_rollout(usage)
        self.ledger.count_attempt(usage)
        self.budget.learn_rollout(usage)

    def count_proposal(self, turn: Turn, outcome: Outcome) -> None:
        """Enter a proposal in the books."""
        if not isinstance(outcome, Proposal | ProposalFailure):
            raise InvariantError("a proposal came back as something else")
        usage = self.priced(outcome)
        self.ledger.count_proposal(usage)
        self.budget.learn_proposal(usage)
        (turn.purse or self.outside).take_proposal()

    def priced(self, outcome: Proposal | ProposalFailure) -> Usage:
        """Give what a proposal took, with its price where that can be told."""
        model = outcome.model if isinstance(outcome, Proposal) else None
        return self.plan.prices.of_proposal(outcome.usage, model)

    def _judge_failure(self, outcome: RolloutFailure) -> None:
        if self.plan.failed_rollouts is FailedRollouts.STOP:
            raise RunFailedError(
                f"a rollout failed ({outcome.kind.value} {outcome.code}: {outcome.message})",
                hint='failed_rollout_policy is "stop": mend the container and resume the run',
            )
        failures = sum(self._recent)
        rate = failures / len(self._recent)
        if len(self._recent) >= FAILURE_MINIMUM and failures > 1 and rate > self.plan.failure_tolerance:
            raise RunFailedError(
                f"{failures} of the latest {len(self._recent)} rollouts failed, more than "
                f"rollout_failure_rate_tolerance = {self.plan.failure_tolerance} allows; "
                f"causes: {self.causes()}",
                hint="see the container's log, mend it, and resume the run",
            )

    def causes(self) -> str:
        """Give the commonest causes of failed rollouts, with their counts."""
        return "; ".join(f"{count} x {cause}" for cause, count in self._causes.most_common(3))

    def rewards(self, outcomes: Sequence[RolloutOutcome]) -> Mapping[int, float]:
        """Give rewards by position, with failed rollouts counted as the plan says."""
        zero = self.plan.failed_rollouts is FailedRollouts.SCORE_ZERO
        scored: dict[int, float] = {}
        for position, outcome in enumerate(outcomes):
            if isinstance(outcome, RolloutResult):
                scored[position] = outcome.reward
            elif zero:
                scored[position] = 0.0
        return scored


@attrs.frozen
class HeldoutScore:
    """A candidate's mean reward on the heldout rows.

    Attributes:
        score: The mean; ``None`` when no rollout was scored.
        stderr: Standard error of the mean; ``None`` for fewer than two scores.
        coverage: Rows scored.
        rows: Rows asked for.
    """

    score: float | None
    stderr: float | None
    coverage: int
    rows: int


def _known(value: T | None) -> T:
    if value is None:
        raise InvariantError("the run was asked for what set-up has not found yet")
    return value


def _rollout_outcome(outcome: Outcome) -> RolloutOutcome:
    if type(outcome) is RolloutResult:
        return outcome  # nearly every one
    if not isinstance(outcome, RolloutResult | RolloutFailure):
        raise InvariantError(f"a rollout came back as {type(outcome).__name__}")
    return outcome


def _completed(command: Rollout, result: RolloutResult, usage: Usage) -> RolloutCompleted:
    return RolloutCompleted(
        candidate_id=command.candidate.id,
        row_id=command.row.id,
        stage=command.stage.value,
        iteration=command.iteration,
        reward=result.reward,
        objectives=result.objectives,
        cost_usd=usage.cost_usd,
        total_tokens=usage.total_tokens,
    )


def _failed(command: Rollout, failure: RolloutFailure) -> RolloutFailed:
    return RolloutFailed(
        candidate_id=command.candidate.id,
        row_id=command.row.id,
        stage=command.stage.value,
        iteration=command.iteration,
        kind=failure.kind.value,
        code=failure.code,
        message=failure.message,
    )
