"""The life of a run, from its start to its end, as one flow."""

from __future__ import annotations

import attrs

from gepa_framework.engine.extending import reopen
from gepa_framework.engine.flow import Flow
from gepa_framework.engine.heldout import heldout
from gepa_framework.engine.run import Run
from gepa_framework.engine.search import evaluate_seed, search
from gepa_framework.engine.setup import check_budget, setup
from gepa_framework.types.events import RunFinished, RunStarted, StopDecided


def lifecycle(run: Run) -> Flow[None]:
    """Set up, evaluate the seed, search, and score what was found on the heldout rows."""
    run.emit(
        RunStarted(seed=run.plan.seed, config_digest=run.plan.config_digest, limits=run.plan.limits.fields())
    )
    check_budget(run.plan)
    yield from setup(run)
    yield from evaluate_seed(run)
    yield from go_on(run)


def go_on(run: Run) -> Flow[None]:
    """Search and score what was found, once more if limits were raised after the search."""
    while True:
        reopen(run)
        yield from search(run)
        if run.stopped is not None:
            run.emit(StopDecided(**attrs.asdict(run.stopped), iteration=run.iteration))
        yield from heldout(run)
        if not run.reopened:
            break
    run.emit(_finished(run))


def _finished(run: Run) -> RunFinished:
    usage = run.ledger.outcome_usage
    return RunFinished(
        best_candidate_id=run.pool.best.candidate.id,
        best_score=run.pool.best_score,
        iterations=run.iteration,
        candidates=len(run.pool.members),
        rollouts=run.ledger.rollouts,
        failed_rollouts=run.ledger.failed_rollouts,
        cost_usd=usage.cost_usd,
        total_tokens=usage.total_tokens,
    )
