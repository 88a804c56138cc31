"""The trial of a child: beside its parent, on the same rows, until the rule has decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import attrs

from gepa_framework._core import Decision, accept
from gepa_framework.engine.flow import Flow
from gepa_framework.engine.joining import join
from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run
from gepa_framework.engine.sampling import further
from gepa_framework.engine.turn import Turn
from gepa_framework.types import Candidate, RejectedAttempt, RolloutFailure, RolloutOutcome, Stage, TaskRow
from gepa_framework.types.events import CandidateAccepted, CandidateRejected

#: Rows with what the parent was rewarded on each.
Scored: TypeAlias = Sequence[tuple[TaskRow, float]]


@attrs.define
class _Trial:
    """A child beside its parent on the rows that both were scored on."""

    turn: Turn
    parent: Member
    child: Candidate
    before: list[float] = attrs.field(factory=list)
    after: list[float] = attrs.field(factory=list)
    used: set[str] = attrs.field(factory=set)
    kept: dict[str, RolloutOutcome] = attrs.field(factory=dict)
    failure: str = ""

    def enter(self, run: Run, before: Scored, outcomes: list[RolloutOutcome]) -> None:
        """Enter what the child did on the rows that its parent was scored on."""
        self.used.update(row.id for row, _ in before)
        for position, reward in run.rewards(outcomes).items():
            self.before.append(before[position][1])
            self.after.append(reward)
        failures = (outcome.message for outcome in outcomes if isinstance(outcome, RolloutFailure))
        self.failure = self.failure or next(failures, "")


def try_child(run: Run, turn: Turn, parent: Member, child: Candidate, before: Scored) -> Flow[None]:
    """Judge a child on the rows that its parent was scored on, and let it in if it is better.

    Args:
        run: The run.
        turn: The iteration.
        parent: What the child came from.
        child: What was proposed.
        before: The rows, each with the parent's reward on it.
    """
    trial = _Trial(turn, parent, child)
    decision = yield from _compare(run, trial, before)
    if decision is None:
        _reject(run, trial, None, f"no rollout of the child was scored: {trial.failure}")
    elif not decision.accepted:
        undecided = decision.verdict == "undecided"
        why = "undecided on all Pareto rows" if undecided else "not better than its parent on the minibatch"
        _reject(run, trial, decision, why)
    else:
        _accept(run, trial, decision)
        yield from join(run, Member(child, (parent.candidate.id,), turn.number), Stage.FULL, turn, trial.kept)


def _compare(run: Run, trial: _Trial, before: Scored) -> Flow[Decision | None]:
    """Roll the child out, and on further rows for as long as the rule asks for them."""
    decision: Decision | None = None
    while before:
        rows = [row for row, _ in before]
        outcomes = yield from run.rollouts(trial.child, rows, Stage.CHILD, trial.turn)
        trial.enter(run, before, outcomes)
        if decision is not None:
            trial.kept.update(zip((row.id for row in rows), outcomes, strict=True))
        decision = _judge(run, trial)
        if decision is None or decision.verdict != "undecided":
            break
        before = further(run, trial.turn, trial.parent, trial.used, decision.more_rows)
    return decision


def _judge(run: Run, trial: _Trial) -> Decision | None:
    if not trial.after:
        return None
    accepting = run.plan.accepting
    return accept(
        accepting.rule,
        trial.before,
        trial.after,
        margin=accepting.margin,
        confidence=accepting.confidence,
        power=accepting.power,
        win_rate=accepting.win_rate,
        limit=accepting.max_rows,
    )


def _accept(run: Run, trial: _Trial, decision: Decision) -> None:
    run.emit(
        CandidateAccepted(
            candidate_id=trial.child.id,
            parent_id=trial.parent.candidate.id,
            iteration=trial.turn.number,
            rule=run.plan.accepting.rule,
            before=decision.before_sum,
            after=decision.after_sum,
            delta=decision.delta,
            rows=decision.rows,
            p=decision.p,
            evidence=decision.evidence,
        )
    )


def _reject(run: Run, trial: _Trial, decision: Decision | None, reason: str) -> None:
    run.emit(
        CandidateRejected(
            candidate_id=trial.child.id,
            parent_id=trial.parent.candidate.id,
            iteration=trial.turn.number,
            rule=run.plan.accepting.rule,
            reason=reason,
            before=decision.before_sum if decision else None,
            after=decision.after_sum if decision else None,
            delta=decision.delta if decision else None,
            rows=decision.rows if decision else 0,
            p=decision.p if decision else None,
            evidence=decision.evidence if decision else None,
        )
    )
    texts = trial.parent.candidate.components
    attempt = RejectedAttempt(
        candidate_id=trial.child.id,
        changes={name: text for name, text in trial.child.components.items() if texts[name] != text},
        reason=reason,
        before=decision.before_sum / decision.rows if decision else None,
        after=decision.after_sum / decision.rows if decision else None,
    )
    run.pool.reject(trial.parent.candidate.id, attempt)
