from __future__ import annotations

import attrs
import pytest

from gepa_framework.engine import Accepting, Describe, LoadProgram, LoadRows, Propose, Rollout, Status
from gepa_framework.types import Stage, digest

_ITERATION = [
    "iteration.started",
    *["rollout.completed"] * 2,
    "proposer.started",
    "proposer.completed",
    "candidate.registered",
    *["rollout.completed"] * 2,
    "candidate.accepted",
    *["rollout.completed"] * 4,
    "candidate.evaluated",
    "frontier.updated",
]


@pytest.fixture(scope="module")
def played(toy):
    return toy.play()


def test_every_event_of_a_run_comes_in_its_place(played):
    assert played.types == [
        "gepa.run.started",
        "container.contract.verified",
        "container.program.loaded",
        "dataset.rows.loaded",
        "dataset.rows.loaded",
        "candidate.registered",
        *["rollout.completed"] * 4,
        "candidate.evaluated",
        "frontier.updated",
        *_ITERATION * 3,
        "gepa.stop",
        "heldout.started",
        *["rollout.completed"] * 2,
        "heldout.completed",
        *["rollout.completed"] * 2,
        "heldout.completed",
        "heldout.verdict",
        "deployment.decided",
        "gepa.run.finished",
    ]


def test_the_commands_of_a_run_come_in_its_order(played):
    stages = [Stage.PARENT] * 2 + [None] + [Stage.CHILD] * 2 + [Stage.FULL] * 4
    kinds = [(type(command), getattr(command, "stage", None)) for command in played.commands]
    assert kinds[:4] == [(Describe, None), (LoadProgram, None), (LoadRows, None), (LoadRows, None)]
    assert kinds[4:8] == [(Rollout, Stage.SEED)] * 4
    assert [stage for _, stage in kinds[8:35]] == stages * 3
    assert kinds[35:] == [(Rollout, Stage.HELDOUT)] * 4


def test_no_effect_id_is_used_twice(played):
    ids = [command.effect_id for command in played.commands]
    assert len(set(ids)) == len(ids)


def test_the_first_event_bears_seed_config_and_limits(toy):
    plan = toy.plan(config_digest="abc", limits={"cost_usd": 2.5})
    first = toy.play(plan).events[0]
    assert (first.seed, first.config_digest) == (7, "abc")
    assert dict(first.limits) == {
        "train_rollouts": 1000,
        "heldout_rollouts": 4,
        "iterations": 3,
        "cost_usd": 2.5,
    }


def test_set_up_is_on_record_with_digests_of_what_defines_the_task(played, toy):
    contract, program, train, heldout = played.events[1:5]
    facts = {"name": "toy", "contract": "toy/taskset", "task": {"about": "numbers"}}
    assert contract.digest == digest(facts)
    assert (program.program_id, program.task_id) == ("toy", "toy-task")
    assert (program.components, program.targets) == (("prompt",), ("prompt",))
    assert (train.purpose, train.split, train.rows) == (
        "train",
        "train",
        tuple(f"train:{n}" for n in range(4)),
    )
    assert (heldout.purpose, heldout.rows) == ("heldout", ("heldout:100", "heldout:101"))
    assert train.digest == digest([{"id": f"train:{n}", "data": {"n": n}} for n in range(4)])


def test_an_address_in_the_advertisement_changes_no_event(toy, played):
    class Moved(toy.World):
        def answer(self, command):
            given = super().answer(command)
            return attrs.evolve(given, raw={"url": "http://elsewhere"}) if given is toy.INFO else given

    assert toy.play(world=Moved()).events == played.events


def test_an_accepted_child_is_on_record_with_its_numbers(played):
    accepted = played.of("candidate.accepted")[0]
    registered = played.of("candidate.registered")[1]
    assert accepted.candidate_id == registered.candidate_id
    assert (accepted.before, accepted.after) == pytest.approx((0.4, 0.6))
    assert accepted.delta == pytest.approx(0.2)
    assert (accepted.rows, accepted.iteration, accepted.rule) == (2, 1, "strict_improvement")
    assert registered.parent_ids == (accepted.parent_id,)
    assert (dict(registered.components), registered.changed) == ({"prompt": "0.3"}, ("prompt",))
    assert (registered.source, registered.rationale) == ("proposer", "up")


def test_the_frontier_event_names_the_cells_that_changed_hands(played):
    seed, first = played.of("frontier.updated")[:2]
    rows = tuple(f"train:{n}" for n in range(4))
    assert seed.improved == rows
    assert first.improved == rows
    assert first.tied == ()
    assert first.survivors == (first.candidate_id,)
    assert first.best_candidate_id == first.candidate_id
    assert first.best_score == pytest.approx(0.3)


def test_a_child_that_ties_everywhere_shares_the_cells(toy):
    plan = toy.plan(accepting=Accepting("improvement_or_equal"), limits={"iterations": 1})
    world = toy.World(score=lambda command: 0.5)
    updated = toy.play(plan, world).of("frontier.updated")[-1]
    assert updated.improved == ()
    assert updated.tied == tuple(f"train:{n}" for n in range(4))


def test_the_last_event_adds_the_run_up(played):
    finished = played.events[-1]
    assert finished.best_score == pytest.approx(0.5)
    assert (finished.iterations, finished.candidates) == (3, 4)
    assert (finished.rollouts, finished.failed_rollouts) == (4 + 3 * 8 + 4, 0)
    assert (finished.cost_usd, finished.total_tokens) == (0.0, 0)
    assert finished.best_candidate_id == played.run.pool.best.candidate.id


def test_a_finished_machine_says_so_and_waits_for_nothing(played):
    assert played.machine.status is Status.FINISHED
    assert played.machine.status.terminal
    assert played.machine.failure is None
    assert dict(played.machine.pending) == {}
    assert played.revoked == []


def test_equal_plans_and_outcomes_give_equal_commands_and_events(toy, played):
    again = toy.play()
    assert again.events == played.events
    assert [c.effect_id for c in again.commands] == [c.effect_id for c in played.commands]
    assert [c.request for c in again.world.of(Propose)] == [c.request for c in played.world.of(Propose)]


def test_another_seed_draws_other_minibatches(toy):
    batches = [
        [body.rows for body in toy.play(toy.plan(seed=seed, train=12)).of("iteration.started")]
        for seed in (1, 2)
    ]
    assert batches[0] != batches[1]


def test_minibatches_go_through_all_rows_before_any_comes_again(toy):
    plan = toy.plan(train=6, minibatch_size=3, limits={"iterations": 4})
    batches = [body.rows for body in toy.play(plan).of("iteration.started")]
    everything = {f"train:{n}" for n in range(6)}
    assert set(batches[0]) | set(batches[1]) == everything
    assert set(batches[2]) | set(batches[3]) == everything


def test_a_minibatch_larger_than_its_pool_holds_every_row_once(toy):
    plan = toy.plan(train=3, minibatch_size=50, limits={"iterations": 1})
    (started,) = toy.play(plan).of("iteration.started")
    assert sorted(started.rows) == ["train:0", "train:1", "train:2"]


def test_rollouts_of_one_batch_are_asked_for_together(toy):
    game = toy.Play(toy.plan(train=5)).start()
    game.until(lambda game: game.awaiting(Stage.SEED))
    assert len(game.machine.pending) == 5


def test_every_rollout_is_sent_with_the_task_of_the_program(played):
    assert {command.task_id for command in played.world.rollouts()} == {"toy-task"}


def test_heldout_rows_are_rolled_out_only_at_the_end(played):
    splits = [command.row.split for command in played.world.rollouts()]
    assert splits == ["train"] * 28 + ["heldout"] * 4
