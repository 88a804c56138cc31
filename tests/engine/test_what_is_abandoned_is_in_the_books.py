from __future__ import annotations

import pytest

from gepa_framework.engine import Abandoned, Cancel, Status
from gepa_framework.engine.ledger import Ledger
from gepa_framework.types import FREE, Stage, StopReason, Usage


class Stop:
    """A stopper that a tick finds switched on."""

    def check(self, view):
        return StopReason("enough") if view.elapsed_seconds >= 5.0 else None


@pytest.fixture
def stopped(toy):
    """Give a run whose search was ended in the middle of a full evaluation, and what was revoked by that."""
    game = toy.Play(toy.plan(), stoppers=[Stop()]).start()
    game.until(lambda game: game.awaiting(Stage.FULL))
    game.tick(5.0)
    assert game.revoked
    return game


def test_what_had_begun_is_told_of_and_its_price_is_unknown(stopped):
    outcomes = stopped.run.ledger.outcome_usage
    before = stopped.run.ledger.unpriced_rollouts
    stopped.take(stopped.machine.feed(Abandoned((*stopped.revoked[:2], "proposal/9")), 5.0))
    (told,) = stopped.of("work.abandoned")
    assert (told.rollouts, told.proposals) == (2, 1)
    books = stopped.run.ledger
    assert (books.abandoned_rollouts, books.abandoned_proposals) == (2, 1)
    assert (books.abandoned_rollouts, books.abandoned_proposals) == (before + 2, 1)
    assert books.cost_usd is None
    assert books.outcome_usage == outcomes


def test_the_run_goes_on_as_if_nothing_had_been_said(stopped):
    pending = dict(stopped.machine.pending)
    step = stopped.machine.feed(Abandoned(tuple(stopped.revoked)), 5.0)
    assert (step.commands, step.revoked) == ((), ())
    assert dict(stopped.machine.pending) == pending
    assert stopped.take(step).finish().machine.status is Status.FINISHED


def test_set_up_calls_cost_nothing(stopped):
    step = stopped.machine.feed(Abandoned(("container/metadata",)), 5.0)
    assert step.events == ()
    assert stopped.run.ledger.abandoned_rollouts == 0


def test_what_is_under_way_at_a_cancel_is_told_of_before_the_end(toy):
    game = toy.Play(toy.plan()).start().until(lambda game: game.awaiting(Stage.PARENT))
    game.take(game.machine.feed(Cancel("enough", tuple(game.machine.pending)), 1.0))
    assert game.types[-2:] == ["work.abandoned", "gepa.run.cancelled"]
    assert game.events[-2].rollouts == len(game.revoked)


def test_abandoned_work_is_unknown_and_never_an_outcome():
    ledger = Ledger()
    ledger.count_rollout(Stage.FULL, Usage(1, 2, 3, 0.5), failed=False)
    ledger.abandon(3, 2)
    ledger.count_proposal(FREE)
    assert ledger.unpriced == (
        "container.rollout given up under way x 3",
        "proposer given up under way x 2",
    )
    assert (ledger.rollouts, ledger.proposals) == (1, 1)
    assert ledger.usage == Usage(None, None, None, None)
    assert ledger.outcome_usage == Usage(1, 2, 3, 0.5)
