from __future__ import annotations

import attrs
import pytest

from gepa_framework.engine import Extend, Status
from gepa_framework.errors import BudgetExceededError, StateTransitionError


def raised(run, **limits):
    return Extend(attrs.evolve(run.plan.limits, **limits), tuple(f"{k}={v}" for k, v in limits.items()))


def test_an_extension_is_the_next_thing_on_record(stand):
    run = stand().go()
    inputs = len(run.stored())
    run.extend = raised(run, iterations=6, heldout_rollouts=6)
    run.go()
    entry = run.stored()[inputs]
    assert entry.given == run.extend
    assert entry.events[0][0] == "gepa.run.extended"
    assert run.machine.run.iteration == 6
    assert len(run.effects) == len(set(run.effects))
    asked = [request.rollout_id for request in run.transport.requests]
    assert len(asked) == len(set(asked))


def test_an_extended_journal_replays_without_being_told_again(kit, stand):
    run = stand().go()
    run.extend = raised(run, iterations=6, heldout_rollouts=6)
    run.go()
    feed, run.extend, run.transport = run.feed, None, kit.Transport()
    run.go()
    assert (run.feed, run.transport.requests) == (feed, [])
    assert run.machine.run.limits.iterations == 6
    assert run.machine.status is Status.FINISHED


def test_what_was_under_way_is_asked_for_again_after_the_extension(kit, stand):
    def answer(request):
        if request.stage.value == "candidate_minibatch":
            raise KeyboardInterrupt

    run = stand(transport=kit.Transport(answer))
    with pytest.raises(KeyboardInterrupt):
        run.go()
    inputs = len(run.stored())
    run.transport, run.extend = kit.Transport(), raised(run, iterations=5)
    run.go()
    assert run.stored()[inputs].given == run.extend
    assert run.machine.run.iteration == 5
    assert len(run.effects) == len(set(run.effects))


def test_an_extension_of_no_use_is_not_on_record(stand):
    run = stand().go()
    inputs, feed = len(run.stored()), run.feed
    run.extend = raised(run, train_rollouts=900, heldout_rollouts=6)
    with pytest.raises(BudgetExceededError, match="would end again at once: max_generations of 4"):
        run.go()
    assert (len(run.stored()), run.feed) == (inputs, feed)


def test_a_run_that_is_new_is_extended_once_it_has_begun(stand):
    run = stand()
    run.extend = raised(run, iterations=2 + 4)
    run.go()
    assert [type(entry.given).__name__ for entry in run.stored()[:2]] == ["NoneType", "Extend"]
    assert run.machine.run.iteration == 6


def test_a_cancelled_run_is_not_extended(stand):
    async def cancel(run):
        run.driver.cancel("enough")

    run = stand().go(cancel)
    assert run.machine.status is Status.CANCELLED
    run.extend = raised(run, iterations=9)
    with pytest.raises(StateTransitionError, match="is cancelled and cannot go on"):
        run.go()
