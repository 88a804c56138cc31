"""The state that the flows of one run share."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence

import attrs

from gepa_framework.engine.effects import Command, Outcome, Rollout
from gepa_framework.engine.flow import Batch, Flow, T
from gepa_framework.engine.ledger import Ledger
from gepa_framework.engine.plan import FailedRollouts, Limits, Plan
from gepa_framework.engine.pool import Pool
from gepa_framework.engine.turn import Turn
from gepa_framework.errors import InvariantError, RunFailedError
from gepa_framework.types import (
    Candidate,
    ContainerInfo,
    EventBody,
    Program,
    RolloutFailure,
    RolloutOutcome,
    RolloutResult,
    RunView,
    Stage,
    Stopper,
    StopReason,
    TaskRow,
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
        limits: Those that hold; the plan's until they are raised.
        reopened: Whether limits were raised after the search, so that there is to be more of it.
        heldout_candidates: Those whose heldout rows were asked for; nobody's are asked for twice.
        latest: The latest reward on each training row, whoever had it.
        strata: Number of the stratum of each row of the minibatch pool, once it was asked for.
        elapsed: Seconds worked on the run, as of the latest input.
        iteration: The iteration that was begun last; 0 for the seed.
        finished: Iterations that are over; behind `iteration` while one is under way.
        improved_at: How many iterations were over, its own counted, when the best score last rose.
    """

    plan: Plan
    stoppers: Sequence[Stopper]
    emit: Callable[[EventBody], None]
    limits: Limits = attrs.field(init=False)
    elapsed: float = 0.0
    iteration: int = 0
    finished: int = 0
    improved_at: int = 0
    searching: bool = False
    reopened: bool = False
    proposer_failures: int = 0
    highest_reward: float = 0.0
    latest: dict[str, float] = attrs.field(factory=dict)
    strata: list[int] = attrs.field(factory=list)
    ledger: Ledger = attrs.field(factory=Ledger)
    stopped: StopReason | None = None
    heldout_scores: dict[str, HeldoutScore] = attrs.field(factory=dict)
    heldout_candidates: set[str] = attrs.field(factory=set)
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

    @limits.default
    def _planned_limits(self) -> Limits:
        return self.plan.limits

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

    def view(self) -> RunView:
        """Give the run as stoppers see it."""
        return RunView(
            iteration=self.finished,
            rollouts=self.ledger.rollouts,
            candidates=len(self.pool.members),
            best_candidate_id=self.pool.best.candidate.id,
            best_score=self.pool.best_score,
            iterations_since_improvement=max(0, self.finished - self.improved_at),
            elapsed_seconds=self.elapsed,
            cost_usd=self.ledger.cost_usd,
        )

    def rollouts(
        self, candidate: Candidate, rows: Sequence[TaskRow], stage: Stage, turn: Turn
    ) -> Flow[list[RolloutOutcome]]:
        """Run a candidate on rows and give the outcomes in their order."""
        task_id = self.program.task_id
        head = f"rollout/{turn.number}/{stage.value}/{candidate.id}"
        outcomes = yield Batch(
            tuple(
                Rollout(f"{head}/{row.split}/{row.id}", candidate, row, stage, turn.number, task_id)
                for row in rows
            ),
            self._observe,
        )
        return [_rollout_outcome(outcome) for outcome in outcomes]

    def _observe(self, command: Command, outcome: Outcome) -> None:
        if not isinstance(command, Rollout):
            raise InvariantError(f"{command.effect_id} is not a rollout")
        given = _rollout_outcome(outcome)
        failed = isinstance(given, RolloutFailure)
        self.ledger.count_rollout(command.stage, given.usage, failed=failed)
        if isinstance(given, RolloutFailure):
            self._causes[f"{given.kind.value} {given.code}: {given.message}"] += 1
            self.emit(_failed(command, given))
        else:
            self.highest_reward = max(self.highest_reward, given.reward)
            if command.stage is not Stage.HELDOUT:
                self.latest[command.row.id] = given.reward
            self.emit(_completed(command, given))
        if command.stage is not Stage.HELDOUT:
            self._judge_failures(given)

    def _judge_failures(self, outcome: RolloutOutcome) -> None:
        failed = isinstance(outcome, RolloutFailure)
        self._recent.append(failed)
        if not isinstance(outcome, RolloutFailure):
            return
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
    if not isinstance(outcome, RolloutResult | RolloutFailure):
        raise InvariantError(f"a rollout came back as {type(outcome).__name__}")
    return outcome


def _completed(command: Rollout, result: RolloutResult) -> RolloutCompleted:
    return RolloutCompleted(
        candidate_id=command.candidate.id,
        row_id=command.row.id,
        stage=command.stage.value,
        iteration=command.iteration,
        reward=result.reward,
        objectives=result.objectives,
        cost_usd=result.usage.cost_usd,
        total_tokens=result.usage.total_tokens,
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
