"""Extending: limits that are raised while a run goes on, or after one of them has ended it."""

from __future__ import annotations

import attrs

from gepa_framework.engine.budget import Need
from gepa_framework.engine.effects import Extend
from gepa_framework.engine.limits import Limits
from gepa_framework.engine.run import Run
from gepa_framework.engine.search import worst_case
from gepa_framework.engine.stopping import no_more
from gepa_framework.errors import BudgetExceededError
from gepa_framework.types import StopReason
from gepa_framework.types.events import RunExtended


def heldout_reserve(rows: int, measured: int) -> int:
    """Give the heldout rollouts that a search must leave room for.

    Args:
        rows: Heldout rows.
        measured: Candidates that were scored on them already, or are being scored.

    Returns:
        One for each row and candidate: those that were measured, and the best that may come; the seed and
        the best at the least.
    """
    return rows * max(2, measured + 1)


def check_extension(run: Run, given: Extend) -> None:
    """Refuse limits that are spent already, or that would end the search where it ended before.

    Raises:
        BudgetExceededError: With the numbers; the run is as it was.
    """
    _check_spent(run, given.limits)
    _check_heldout(run, given.limits)
    if run.stopped is None:
        return
    reason = _reason_to_stop(run, given)
    if reason is not None:
        raise BudgetExceededError(
            f"the search would end again at once: {reason.message or reason.kind}",
            hint="raise that limit, or raise it further",
        )


def extend(run: Run, given: Extend) -> None:
    """Let higher limits hold from here on."""
    run.limits = given.limits
    if given.stoppers is not None:
        run.stoppers = given.stoppers
    run.reopened = run.stopped is not None
    run.emit(RunExtended(limits=given.limits.fields(), sets=given.sets))


def reopen(run: Run) -> None:
    """Let there be a search after this moment; an iteration that was cut off is over."""
    run.outside.close()
    run.outside = run.budget.set_aside(Need(heldout=_still_to_measure(run)))
    run.reopened = False
    run.stopped = None
    run.verdict = None
    run.finished = run.iteration


def _still_to_measure(run: Run) -> int:
    """Give the heldout rollouts to come: for seed and best, or for whoever is best by then besides them."""
    return len(run.heldout) * max(1, 2 - len(run.heldout_candidates))


def _reason_to_stop(run: Run, given: Extend) -> StopReason | None:
    """Give the reason that would end a reopened search, and leave the run as it was."""
    before = run.limits, run.stoppers, run.finished
    run.limits, run.finished = given.limits, run.iteration
    run.stoppers = run.stoppers if given.stoppers is None else given.stoppers
    try:
        need = worst_case(run)
        heldout = max(0, _still_to_measure(run) - run.outside.heldout)
        return no_more(run, run.budget.short(run.limits, attrs.evolve(need, heldout=heldout)))
    finally:
        run.limits, run.stoppers, run.finished = before


def _check_spent(run: Run, limits: Limits) -> None:
    books, aside = run.ledger, run.budget
    usage, lost = attrs.asdict(books.usage), books.abandoned_rollouts
    spent = {
        "total_rollouts": books.rollouts + lost + aside.train + aside.heldout,
        "train_rollouts": books.train_rollouts + lost + aside.train,
        "proposals": books.proposals + books.abandoned_proposals + aside.proposals,
        "iterations": run.finished,
        "seconds": run.elapsed,
        **{name: usage[name] for name in ("cost_usd", "prompt_tokens", "completion_tokens", "total_tokens")},
    }
    for name, value in spent.items():
        before, limit = getattr(run.limits, name), getattr(limits, name)
        lowered = limit is not None and (before is None or limit < before)
        if lowered and value is not None and limit < value:
            raise BudgetExceededError(
                f"the limit on {name} would fall from {before} to {limit}, and {value} are spent or set "
                "aside",
                hint="raise it as well: heldout rows for one more candidate are taken from all rollouts",
            )


def _check_heldout(run: Run, limits: Limits) -> None:
    measured, rows = len(run.heldout_candidates), len(run.plan.heldout)
    needed = heldout_reserve(rows, measured)
    if limits.heldout_rollouts < needed:
        raise BudgetExceededError(
            f"the heldout rows need {needed} rollouts, {rows} for each of {needed // rows} candidates, of "
            f"which {measured} are measured, and the limit is {limits.heldout_rollouts}",
            hint="raise gepa.max_heldout_rollouts as well",
        )
