"""Merging: a child that takes from each of two candidates what each improved, without a proposer."""

from __future__ import annotations

from gepa_framework._core import STREAM_MERGE, Merge, Rng, accept_merge, check_rows
from gepa_framework.engine.flow import Flow
from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run
from gepa_framework.engine.trial import Scored, Trial, let_in
from gepa_framework.engine.turn import Turn
from gepa_framework.engine.verdicts import accepted, rejected
from gepa_framework.engine.weighing import weighed
from gepa_framework.types import Candidate, Stage
from gepa_framework.types.events import CandidateDuplicateSkipped, CandidateRegistered, MergeProposed

_RULE = "merge"


def merge_due(run: Run) -> bool:
    """Tell whether enough candidates were accepted since the last merge to try another."""
    merging = run.plan.merging
    if merging.every is None or (merging.max is not None and run.merges >= merging.max):
        return False
    return run.accepted - run.accepted_at_merge >= merging.every


def merge(run: Run, turn: Turn) -> Flow[None] | None:
    """Give the iteration that tries a merge; ``None`` where no two candidates complement each other."""
    rng = Rng(run.plan.seed, STREAM_MERGE, turn.number)
    found = run.pool.merge(rng, overlap=min(run.plan.merging.rows, len(run.pareto)))
    if found is None:
        return None
    run.merges += 1
    run.accepted_at_merge = run.accepted
    return _try(run, turn, found, rng)


def _try(run: Run, turn: Turn, found: Merge, rng: Rng) -> Flow[None]:
    pool = run.pool
    first, second = pool.members[found.first], pool.members[found.second]
    child = _child(run, turn, found)
    if child is None:
        return
    rows = check_rows(pool.frontier, found.first, found.second, rng, size=run.plan.merging.rows)
    better = first if _sum(run, first, rows) >= _sum(run, second, rows) else second
    compared = [
        Scored(run.pareto[row], _score(run, better, row), pool.objectives(better, pool.rows[row]))
        for row in rows
    ]
    trial = Trial(turn, better, child, compared)
    asked = [run.pareto[row] for row in rows]
    outcomes = yield from run.rollouts(child, asked, Stage.CHILD, turn)
    trial.enter(run, outcomes)
    trial.kept.update(zip((row.id for row in asked), outcomes, strict=True))
    scored = [rows[position] for position in run.rewards(outcomes)]
    if not scored:
        rejected(run, trial, None, _RULE, f"no rollout of the child was scored: {trial.failure}")
        return
    decision = accept_merge(
        [_score(run, first, row) for row in scored], [_score(run, second, row) for row in scored], trial.after
    )
    if not decision.accepted:
        rejected(run, trial, decision, _RULE, "not as good as the better of its parents")
        return
    if run.plan.weighing.criterion == "protected_objective_guard":
        decision = weighed(run.plan, decision, trial.objectives)
    if not decision.accepted:
        rejected(run, trial, decision, _RULE, "a protected objective got worse than the better parent's")
        return
    accepted(run, trial, decision, _RULE)
    yield from let_in(run, trial, (first.candidate.id, second.candidate.id))


def _child(run: Run, turn: Turn, found: Merge) -> Candidate | None:
    pool = run.pool
    first, second = pool.members[found.first].candidate, pool.members[found.second].candidate
    ancestor = pool.members[found.ancestor].candidate
    texts = {
        name: pool.members[source].candidate.components[name]
        for name, source in zip(first.components, found.sources, strict=True)
    }
    run.emit(
        MergeProposed(
            iteration=turn.number,
            parent_ids=(first.id, second.id),
            ancestor_id=ancestor.id,
            sources={
                name: pool.members[source].candidate.id
                for name, source in zip(first.components, found.sources, strict=True)
            },
        )
    )
    child = ancestor.evolve(texts)
    if child.id in pool.known:
        run.emit(CandidateDuplicateSkipped(candidate_id=child.id, iteration=turn.number))
        return None
    pool.register(child)
    run.emit(
        CandidateRegistered(
            candidate_id=child.id,
            parent_ids=(first.id, second.id),
            iteration=turn.number,
            source="merge",
            components=child.components,
            changed=tuple(child.changes_from(ancestor)),
            rationale="",
        )
    )
    return child


def _score(run: Run, member: Member, row: int) -> float:
    score = run.pool.score(member, row)
    return 0.0 if score is None else score  # rows to check on are those that both have a score on


def _sum(run: Run, member: Member, rows: list[int]) -> float:
    return sum(_score(run, member, row) for row in rows)
