"""Heldout: seed, selected candidate and its ties on rows that the search has never seen, once each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import attrs

from gepa_framework.engine.affording import affordable
from gepa_framework.engine.budget import Need
from gepa_framework.engine.deployment import deployed
from gepa_framework.engine.flow import Flow
from gepa_framework.engine.improvement import ImprovementVerdict, judge, seed_selected
from gepa_framework.engine.measuring import measure
from gepa_framework.engine.run import HeldoutScore, Run
from gepa_framework.engine.turn import OUTSIDE
from gepa_framework.errors import RunFailedError
from gepa_framework.types import Candidate, Stage
from gepa_framework.types.events import DeploymentDecided, HeldoutCompleted, HeldoutStarted, HeldoutVerdict


def heldout(run: Run) -> Flow[None]:
    """Score seed, selected candidate and ties on the heldout rows, and say what follows.

    Raises:
        RunFailedError: Not one rollout of the seed, or of the selected candidate, was scored.
    """
    owed = _unmeasured(run, (run.seed, run.pool.best.candidate))
    tied = _unmeasured(run, ties(run))
    # What was set aside for the seed and the best is theirs; a tie may have what one of them does not need.
    run.outside.close()
    room = max(0, affordable(run, len(run.heldout)) - len(owed))
    chosen, skipped = [*owed, *tied[:room]], tied[room:]
    # It was set aside beside what was known, by what single calls had cost so far: it may be gone.
    gone = run.budget.short(run.limits, Need(heldout=len(run.heldout) * len(owed)))
    if gone:
        chosen, skipped = [], [*owed, *tied]
    run.outside = run.budget.set_aside(Need(heldout=len(run.heldout) * len(chosen)))
    run.heldout_candidates.update(candidate.id for candidate in chosen)
    if chosen or skipped:
        run.emit(
            HeldoutStarted(
                candidates=tuple(candidate.id for candidate in chosen),
                rows=len(run.heldout),
                skipped=tuple(candidate.id for candidate in skipped),
                reason=gone.message if gone else "",
            )
        )
    for candidate in chosen:
        yield from _measure(run, candidate, owed=candidate in owed)
    run.verdict = _verdict(run)
    run.emit(HeldoutVerdict(**attrs.asdict(run.verdict, value_serializer=_plain)))
    run.emit(DeploymentDecided(candidate_id=deployed(run).candidate.id, rule=run.plan.deployment_rule.value))


def _unmeasured(run: Run, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Give each once; a search that went on after the heldout rows were looked at looks at nobody's again."""
    each = {candidate.id: candidate for candidate in candidates}
    return [candidate for name, candidate in each.items() if name not in run.heldout_candidates]


def ties(run: Run) -> Sequence[Candidate]:
    """Give the candidates that did as well as the best on as many Pareto rows, oldest first."""
    pool = run.pool
    best = pool.standing(pool.best)
    return [
        member.candidate
        for member in pool.members
        if member is not pool.best and pool.standing(member) == best
    ]


def _measure(run: Run, candidate: Candidate, *, owed: bool) -> Flow[None]:
    outcomes = yield from run.rollouts(candidate, run.heldout, Stage.HELDOUT, OUTSIDE)
    rewards = run.rewards(outcomes)
    score = summarise(rewards.values(), rows=len(run.heldout))
    if owed and run.heldout and not score.coverage:
        raise RunFailedError(
            f"not one heldout rollout of {candidate.id} was scored: {run.causes()}",
            hint="the search is over and its best candidate is in best_candidate.json; "
            "mend the container and run again with the same cache for the heldout scores",
        )
    run.heldout_rewards[candidate.id] = rewards
    run.heldout_scores[candidate.id] = score
    run.emit(
        HeldoutCompleted(
            candidate_id=candidate.id,
            role=_role(run, candidate),
            score=score.score,
            stderr=score.stderr,
            coverage=score.coverage,
            rows=score.rows,
        )
    )


def _role(run: Run, candidate: Candidate) -> str:
    if candidate.id == run.pool.best.candidate.id:
        return "best"
    return "seed" if candidate.id == run.seed.id else "tie"


def _verdict(run: Run) -> ImprovementVerdict:
    seed, best, confidence = run.seed.id, run.pool.best.candidate.id, run.plan.verdict_confidence
    of_seed, of_best = (run.heldout_rewards.get(name, {}) for name in (seed, best))
    if seed == best:
        return seed_selected(of_seed, seed_id=seed, confidence=confidence)
    return judge(of_seed, of_best, candidate_id=best, confidence=confidence)


def summarise(rewards: Collection[float], *, rows: int) -> HeldoutScore:
    """Give mean and standard error (n - 1 in the variance) of the rewards."""
    measured = measure(rewards)
    return HeldoutScore(measured.mean, measured.stderr, measured.n, rows)


def _plain(_instance: object, _field: object, value: object) -> object:
    """Keep enumerations out of events, which hold JSON values alone."""
    return str(value) if isinstance(value, str) else value
