from __future__ import annotations

import attrs
import pytest

from gepa_framework.engine import DeploymentRule, Extend, Status, heldout_best
from gepa_framework.engine import deployed as deployed_by
from gepa_framework.types import UNKNOWN, RolloutResult, Stage, Usage

#: Train rewards by text: 0.2 is the seed, 0.6 and everything above it ties.
TIED = ["0.5", "0.6", "0.7", "0.8"]
PRICED = Usage(1, 1, 2, 0.5)


@pytest.fixture
def played(toy):
    """Play a run whose candidates 0.6, 0.7 and 0.8 tie on the train rows.

    ``heldout`` gives the reward on a heldout row by text and number of the row, ``usage`` what a rollout
    consumes, ``clock`` the time when the last rollouts of the search come in.
    """

    def play(
        *,
        room=1000,
        heldout=lambda text, row: text,
        usage=lambda command: PRICED,
        rows=2,
        limits=None,
        clock=0.0,
        **changes,
    ):
        def score(command):
            text, row = toy.by_text(command), command.row.data["n"]
            if command.stage is Stage.HELDOUT:
                reward = heldout(text, row)
            elif command.stage in (Stage.CHILD, Stage.PARENT):
                reward = text
            else:
                reward = min(text, 0.6)
            return reward if reward is toy.FAILED else RolloutResult(reward=reward, usage=usage(command))

        given = {"iterations": 4, "heldout_rollouts": room, **(limits or {})}
        world = toy.World(score=score, propose=TIED)
        game = toy.Play(toy.plan(heldout=rows, limits=given, **changes), world).start()
        game.until(lambda game: game.run.iteration == 4 and game.awaiting(Stage.FULL))
        game.clock = clock
        return game.finish()

    return play


def names(game):
    return {
        candidate.id: next(iter(candidate.components.values())) for candidate in game.run.pool.known.values()
    }


def told(game, ids):
    return [names(game)[candidate_id] for candidate_id in ids]


def started(game):
    (body,) = game.of("heldout.started")
    return told(game, body.candidates), told(game, body.skipped)


def deployed(game):
    (body,) = game.of("deployment.decided")
    return told(game, [body.candidate_id]), body.rule


def test_ties_are_scored_after_seed_and_best_the_oldest_first(played):
    game = played()
    assert started(game) == (["0.2", "0.6", "0.7", "0.8"], [])
    assert [body.role for body in game.of("heldout.completed")] == ["seed", "best", "tie", "tie"]
    assert len(game.world.rollouts(Stage.HELDOUT)) == 8


@pytest.mark.parametrize(
    ("room", "scored", "skipped"),
    [
        (4, ["0.2", "0.6"], ["0.7", "0.8"]),
        (5, ["0.2", "0.6"], ["0.7", "0.8"]),
        (6, ["0.2", "0.6", "0.7"], ["0.8"]),
        (7, ["0.2", "0.6", "0.7"], ["0.8"]),
    ],
)
def test_ties_are_scored_whole_or_not_at_all(played, room, scored, skipped):
    game = played(room=room)
    assert started(game) == (scored, skipped)
    assert game.run.ledger.heldout_rollouts == 2 * len(scored)


def test_what_a_selected_seed_does_not_use_goes_to_its_tie(toy):
    def score(command):
        return 0.2 if command.stage in (Stage.FULL, Stage.SEED) else toy.by_text(command)

    game = toy.play(toy.plan(), toy.World(score=score, propose=["0.3", "0.4"]))
    (body,) = game.of("heldout.started")
    assert told(game, body.candidates) == ["0.2", "0.3"]
    assert told(game, body.skipped) == ["0.4"]
    (verdict,) = game.of("heldout.verdict")
    assert (verdict.verdict, verdict.candidate_id) == ("no_measured_improvement", game.run.seed.id)
    assert (verdict.p, verdict.n, verdict.reason) == (None, 2, "the search selected the seed")


def test_what_the_search_spends_here(played):
    ledger = played(room=4).run.ledger
    assert (ledger.train_rollouts, ledger.heldout_rollouts) == (36, 4)
    assert (ledger.usage.cost_usd, ledger.usage.total_tokens) == (20.0, 80)


@pytest.mark.parametrize(
    ("limits", "scored"),
    [
        ({"cost_usd": 20.0}, 2),
        ({"cost_usd": 20.9}, 2),
        ({"cost_usd": 21.0}, 3),
        ({"cost_usd": 22.0}, 4),
        ({"prompt_tokens": 40}, 2),
        ({"completion_tokens": 40}, 2),
        ({"total_tokens": 83}, 2),
        ({"total_tokens": 84}, 3),
        ({"total_rollouts": 41}, 2),
        ({"total_rollouts": 42}, 3),
    ],
)
def test_no_tie_is_scored_that_might_pass_another_limit(played, limits, scored):
    game = played(limits=limits)
    (stop,) = game.of("gepa.stop")
    assert (stop.kind, stop.iteration) == ("max_generations", 4)
    candidates, skipped = started(game)
    assert (len(candidates), len(skipped)) == (scored, 4 - scored)


def test_nobody_is_scored_where_what_was_spent_is_not_known(played, toy):
    def usage(command):
        last = command.stage is Stage.FULL and toy.by_text(command) == 0.8 and command.row.data["n"] == 3
        return UNKNOWN if last else PRICED

    game = played(usage=usage, limits={"cost_usd": 1e6})
    assert game.run.ledger.usage.cost_usd is None
    assert started(game) == ([], ["0.2", "0.6", "0.7", "0.8"])
    assert game.of("heldout.started")[0].reason == "max_cost_usd is set and what was spent is not known"
    (verdict,) = game.of("heldout.verdict")
    assert (verdict.verdict, verdict.n) == ("inconclusive", 0)
    assert game.run.ledger.heldout_rollouts == 0


def test_no_tie_is_scored_when_the_time_is_over(played):
    game = played(limits={"seconds": 9.0}, clock=8.0)
    assert started(game)[1] == []
    game = played(limits={"seconds": 9.0}, clock=9.0)
    assert started(game)[0] == ["0.2", "0.6"]


def test_who_covers_fewer_rows_does_not_tie(toy):
    def score(command):
        if command.stage is Stage.HELDOUT:
            return toy.by_text(command)
        lost = toy.by_text(command) == 0.7 and command.row.data["n"] == 0
        if command.stage is Stage.FULL:
            return toy.FAILED if lost else 0.6
        return toy.by_text(command)

    game = toy.play(
        toy.plan(limits={"iterations": 4, "heldout_rollouts": 100}, failure_tolerance=1.0),
        toy.World(score=score, propose=["0.6", "0.7", "0.8"]),
    )
    candidates, skipped = started(game)
    assert "0.8" in candidates
    assert "0.7" in told(game, [member.candidate.id for member in game.run.pool.members])
    assert "0.7" not in candidates + skipped


def test_what_is_set_aside_is_what_is_scored(played):
    for room, needed in ((4, 4), (7, 6), (100, 8)):
        game = played(room=room)
        assert game.run.ledger.heldout_rollouts == needed
        assert (game.run.budget.heldout, game.run.outside.heldout) == (0, 0)


def extended(game, **limits):
    given = Extend(attrs.evolve(game.run.limits, **limits))
    return game.take(game.machine.feed(given, game.clock)).finish()


def test_a_search_that_goes_on_is_judged_again_and_nobody_is_scored_twice(played):
    game = played(rows=6, heldout=lambda text, row: 1.0 - text, deployment_rule=DeploymentRule.HELDOUT_BEST)
    before = len(game.world.rollouts(Stage.HELDOUT))
    game.world.propose = ["0.9"]
    extended(game, iterations=5)
    asked = [(command.candidate.id, command.row.id) for command in game.world.rollouts(Stage.HELDOUT)]
    assert len(asked) == len(set(asked)) == before + 6
    first, second = game.of("heldout.started")
    assert (told(game, first.candidates)[0], told(game, second.candidates)) == ("0.2", ["0.9"])
    assert [body.verdict for body in game.of("heldout.verdict")] == ["no_measured_improvement"] * 2
    assert len(game.of("deployment.decided")) == 2
    assert told(game, [game.of("deployment.decided")[1].candidate_id]) == ["0.2"]


def test_a_search_that_goes_on_has_no_verdict_until_it_ends(played):
    game = played(heldout=lambda text, row: 1.0 - text, deployment_rule=DeploymentRule.HELDOUT_BEST)
    assert game.run.verdict is not None
    assert game.run.seed == deployed_by(game.run).candidate
    given = Extend(attrs.evolve(game.run.limits, iterations=5))
    game.take(game.machine.feed(given, game.clock))
    assert game.run.verdict is None
    assert heldout_best(game.run) is None
    assert deployed_by(game.run) is game.run.pool.best


def test_a_tie_of_which_nothing_was_scored_does_not_end_the_run(played, toy):
    game = played(heldout=lambda text, row: toy.FAILED if text == 0.7 else text)
    assert game.machine.status is Status.FINISHED
    (lost,) = [body for body in game.of("heldout.completed") if body.score is None]
    assert (lost.role, lost.coverage, lost.rows) == ("tie", 0, 2)


@pytest.mark.parametrize("text", [0.2, 0.6])
def test_a_seed_or_best_of_which_nothing_was_scored_does(played, toy, text):
    game = played(heldout=lambda other, row: toy.FAILED if other == text else other)
    assert game.machine.status is Status.FAILED
    assert "not one heldout rollout of" in str(game.machine.failure)


def test_the_verdict_is_on_the_rows_that_both_have(played, toy):
    def heldout(text, row):
        lost = {0.2: (100,), 0.6: (101, 102)}
        return toy.FAILED if row in lost.get(text, ()) else text

    game = played(heldout=heldout, rows=10)
    (verdict,) = game.of("heldout.verdict")
    assert told(game, [verdict.candidate_id]) == ["0.6"]
    assert (verdict.verdict, verdict.n, verdict.differing) == ("improvement_demonstrated", 7, 7)
    assert verdict.mean_difference == pytest.approx(0.4)
    assert (verdict.p, verdict.confidence) == (2.0**-7, 0.95)
    assert type(verdict.verdict) is str


def test_the_confidence_of_the_plan_is_asked_for(played):
    assert played(rows=6).of("heldout.verdict")[0].verdict == "improvement_demonstrated"
    game = played(rows=6, verdict_confidence=0.99)
    assert game.of("heldout.verdict")[0].verdict == "inconclusive"


def test_the_search_selects_what_is_deployed_as_it_comes(played):
    assert deployed(played()) == (["0.6"], "optimization_selected")


@pytest.mark.parametrize(
    ("heldout", "best"),
    [
        (lambda text, row: text, "0.8"),
        (lambda text, row: 0.9 if text == 0.7 else text, "0.7"),
        (lambda text, row: 1.0 - text, "0.2"),
        (lambda text, row: 0.5, "0.6"),
        (lambda text, row: float(text > 0.65), "0.7"),
    ],
    ids=["a tie", "another tie", "the seed", "all the same", "two that are equal"],
)
def test_the_best_on_the_heldout_rows_is_deployed_where_the_rule_says_so(played, heldout, best):
    game = played(heldout=heldout, deployment_rule=DeploymentRule.HELDOUT_BEST)
    assert deployed(game) == ([best], "heldout_best")
    (verdict,) = game.of("heldout.verdict")
    assert told(game, [verdict.candidate_id]) == ["0.6"]
    assert told(game, [game.events[-1].best_candidate_id]) == ["0.6"]


def test_a_tie_that_was_not_scored_is_not_deployed(played):
    assert deployed(played(room=6, deployment_rule=DeploymentRule.HELDOUT_BEST)) == (["0.7"], "heldout_best")


def test_one_lucky_row_among_failures_deploys_nobody(played, toy):
    def heldout(text, row):
        if text == 0.8:
            return 1.0 if row == 100 else toy.FAILED
        return {0.6: 0.5, 0.7: 0.6}.get(text, 0.0)

    game = played(heldout=heldout, rows=10, deployment_rule=DeploymentRule.HELDOUT_BEST)
    assert deployed(game) == (["0.7"], "heldout_best")
