"""The trial of children: each beside its parent, on the same rows, until the rule has decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import attrs

from gepa_framework._core import Decision, accept, choose
from gepa_framework.engine.flow import NOT_NEEDED, Flow, gather
from gepa_framework.engine.foretelling import foretold
from gepa_framework.engine.joining import join
from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run
from gepa_framework.engine.sampling import further
from gepa_framework.engine.turn import Turn
from gepa_framework.engine.verdicts import accepted, rejected
from gepa_framework.engine.weighing import weighed
from gepa_framework.types import (
    Candidate,
    RolloutFailure,
    RolloutOutcome,
    RolloutResult,
    Stage,
    TaskRow,
)


@attrs.frozen
class Scored:
    """A row with what the parent came to on it."""

    row: TaskRow
    reward: float
    objectives: Mapping[str, float] = MappingProxyType({})


@attrs.define(eq=False)
class Trial:
    """A child beside its parent on the rows that both were scored on.

    Attributes:
        turn: The iteration.
        parent: What the child came from.
        child: What was proposed.
        rows: The rows to compare on next.
        before: The parent on the rows compared.
        after: The child on the same rows.
        objectives: The objectives of both, row by row.
        used: Ids of the rows that were compared on, scored or not.
        kept: What came of the child on Pareto rows, by row id.
        failure: Why the first of the child's rollouts failed that did.
        hopeless: Why the child could not be accepted any more before all was in.
    """

    turn: Turn
    parent: Member
    child: Candidate
    rows: Sequence[Scored]
    before: list[float] = attrs.field(factory=list)
    after: list[float] = attrs.field(factory=list)
    objectives: list[tuple[Mapping[str, float], Mapping[str, float]]] = attrs.field(factory=list)
    used: set[str] = attrs.field(factory=set)
    kept: dict[str, RolloutOutcome] = attrs.field(factory=dict)
    failure: str = ""
    hopeless: str = ""

    def give_up(self, reason: str) -> None:
        """Note why the child could not be accepted any more."""
        self.hopeless = self.hopeless or reason

    def enter(self, run: Run, outcomes: Sequence[RolloutOutcome]) -> None:
        """Enter what the child came to on the rows."""
        self.used.update(scored.row.id for scored in self.rows)
        for position, reward in run.rewards(outcomes).items():
            parent, outcome = self.rows[position], outcomes[position]
            self.before.append(parent.reward)
            self.after.append(reward)
            child = outcome.objectives if isinstance(outcome, RolloutResult) else {}
            self.objectives.append((parent.objectives, child))
        failures = (outcome.message for outcome in outcomes if isinstance(outcome, RolloutFailure))
        self.failure = self.failure or next(failures, "")


def try_children(run: Run, trials: Sequence[Trial]) -> Flow[None]:
    """Judge children beside their parents, and let those in that are better, as many as are wanted."""
    decisions: list[Decision | None] = yield from gather([_compare(run, trial) for trial in trials])
    generating = run.plan.generating
    judged = [index for index, decision in enumerate(decisions) if decision is not None]
    chosen = choose(
        generating.keep, [decision for decision in decisions if decision is not None], k=generating.k
    )
    kept = {judged[index] for index in chosen}
    for index, (trial, decision) in enumerate(zip(trials, decisions, strict=True)):
        if index in kept and decision is not None:
            accepted(run, trial, decision, run.plan.accepting.rule)
        else:
            rejected(run, trial, decision, run.plan.accepting.rule, _why(trial, decision))
    joining = [trials[judged[index]] for index in chosen]
    yield from gather([let_in(run, trial, (trial.parent.candidate.id,)) for trial in joining])


def let_in(run: Run, trial: Trial, parent_ids: tuple[str, ...]) -> Flow[bool]:
    """Evaluate an accepted child in full, and let it into the pool."""
    member = Member(trial.child, parent_ids, trial.turn.number)
    return (yield from join(run, member, Stage.FULL, trial.turn, trial.kept))


def _why(trial: Trial, decision: Decision | None) -> str:
    if trial.hopeless:
        return trial.hopeless
    if decision is None:
        return f"no rollout of the child was scored: {trial.failure}"
    if decision.accepted:
        return "better than its parent on the minibatch, but another proposal of the iteration is chosen"
    if decision.verdict == "undecided":
        return "undecided on all Pareto rows"
    if decision.criterion != "primary":
        return f"not accepted by {decision.criterion}, reward and objectives together"
    return "not better than its parent on the minibatch"


def _compare(run: Run, trial: Trial) -> Flow[Decision | None]:
    """Roll the child out, and on further rows for as long as the rule asks for them."""
    decision: Decision | None = None
    while trial.rows:
        rows = [scored.row for scored in trial.rows]
        before = [(scored.row.id, scored.reward) for scored in trial.rows]
        needless = foretold(run, before, trial.give_up)
        outcomes = yield from run.rollouts(trial.child, rows, Stage.CHILD, trial.turn, needless=needless)
        if any(outcome is NOT_NEEDED for outcome in outcomes):
            return None
        trial.enter(run, outcomes)
        if decision is not None:
            trial.kept.update(zip((row.id for row in rows), outcomes, strict=True))
        decision = _judge(run, trial)
        if decision is None or decision.verdict != "undecided":
            break
        more = further(run, trial.turn, trial.parent, trial.used, decision.more_rows)
        trial.rows = [Scored(row, reward, run.pool.objectives(trial.parent, row.id)) for row, reward in more]
    return decision


def _judge(run: Run, trial: Trial) -> Decision | None:
    if not trial.after:
        return None
    accepting = run.plan.accepting
    decision = accept(
        accepting.rule,
        trial.before,
        trial.after,
        margin=accepting.margin,
        confidence=accepting.confidence,
        power=accepting.power,
        win_rate=accepting.win_rate,
        limit=accepting.max_rows,
    )
    return weighed(run.plan, decision, trial.objectives)
