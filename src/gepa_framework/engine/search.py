"""The search: iterations are begun as budgets allow, until a limit or a stopper says that it is enough."""

from __future__ import annotations

from gepa_framework.engine.budget import Need
from gepa_framework.engine.flow import Flow, Many
from gepa_framework.engine.iteration import iterate
from gepa_framework.engine.joining import join
from gepa_framework.engine.merging import merge, merge_due
from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run
from gepa_framework.engine.stopping import no_more
from gepa_framework.engine.turn import OUTSIDE, Turn
from gepa_framework.errors import RunFailedError
from gepa_framework.types import Stage
from gepa_framework.types.events import CandidateRegistered


def evaluate_seed(run: Run) -> Flow[None]:
    """Score the seed on the Pareto rows.

    Raises:
        RunFailedError: Not one of its rollouts was scored.
    """
    run.emit(
        CandidateRegistered(
            candidate_id=run.seed.id,
            parent_ids=(),
            iteration=0,
            source="seed",
            components=run.seed.components,
            changed=(),
            rationale="",
        )
    )
    run.pool.register(run.seed)
    if not (yield from join(run, Member(run.seed, (), 0), Stage.SEED, OUTSIDE)):
        raise RunFailedError(f"not one rollout of the seed candidate was scored: {run.causes()}")


def search(run: Run) -> Flow[None]:
    """Iterate until a limit or a stopper says that it is enough, and what was begun is over."""
    run.searching = True
    yield Many(lambda: _next(run), run.plan.pipelining.in_flight)
    run.searching = False


def worst_case(run: Run) -> Need:
    """Give the most that one iteration may take.

    Further rows that a rule asks for are Pareto rows, and count towards the child's evaluation if it comes to
    one; so are those that a merged child is checked on.
    """
    generating = run.plan.generating
    size = min(run.plan.minibatch_size, len(run.minibatch_pool))
    minibatches = generating.parents * generating.minibatches
    compared = size * (minibatches + generating.children)
    # A refused answer may be put right, and one that was overtaken thought over.
    turns = 1 + run.plan.repair_turns + (run.plan.pipelining.staleness == "reflective")
    asks_for_more = run.plan.accepting.rule == "sequential"
    evaluated = generating.children if asks_for_more else generating.kept
    return Need(
        train=compared + len(run.pareto) * evaluated,
        proposals=generating.children * turns,
    )


def _next(run: Run) -> Flow[None] | None:
    if run.stopped is not None:
        return None
    need = worst_case(run)
    short = run.budget.short(run.limits, need)
    # What is under way may give back what is short now: the search is over only when nothing is.
    run.stopped = no_more(run, None if run.in_flight or run.limbo else short)
    if run.stopped is not None or short is not None:
        return None
    run.iteration += 1
    turn = Turn(run.iteration, run.minibatches, len(run.pool.members), run.budget.set_aside(need))
    flow = merge(run, turn) if merge_due(run) else None
    if flow is None:
        flow = iterate(run, turn)
        run.minibatches += run.plan.generating.parents * run.plan.generating.minibatches
    return _within(run, turn, flow)


def _within(run: Run, turn: Turn, flow: Flow[None]) -> Flow[None]:
    """Give back what an iteration did not need, however it ends."""
    try:
        yield from flow
    finally:
        if turn.purse is not None:
            turn.purse.close()
    run.finished += 1
