from __future__ import annotations

import pytest

from gepa_framework.engine import Generating, Merging, Propose, Weighing
from gepa_framework.types import FREE, ComponentSpec, Program, Proposal, RolloutResult, Stage

TWO = Program(
    program_id="toy",
    task_id="toy-task",
    components=(ComponentSpec("left"), ComponentSpec("right")),
    targets=("left", "right"),
    seed={"left": "0", "right": "0"},
)


def several(toy, limits=None, **numbers):
    return toy.plan(train=8, generating=Generating(**numbers), limits={"iterations": 1, **(limits or {})})


def proposing(*texts):
    return lambda request: Proposal({"prompt": texts[_slot(request)]}, usage=FREE)


def _slot(request):
    parts = request.proposal_id.split("/")
    return int(parts[2]) if len(parts) > 2 else 0


def test_every_pair_of_parent_and_minibatch_gets_its_proposals(toy):
    world = toy.World(propose=lambda request: toy.ProposalFailure("no", "no"))
    game = toy.play(several(toy, parents=2, minibatches=2, proposals=2), world)
    requests = [command.request for command in world.of(Propose)]
    assert [request.proposal_id for request in requests] == [
        "proposal/1",
        *(f"proposal/1/{n}" for n in range(1, 8)),
    ]
    assert len({request.seed for request in requests}) == 8
    assert len(game.of("iteration.started")) == 4
    assert len({body.rows for body in game.of("iteration.started")}) == 4


def test_a_parent_is_rolled_out_on_no_row_twice(toy):
    world = toy.World(propose=lambda request: toy.ProposalFailure("no", "no"))
    toy.play(several(toy, parents=2, minibatches=1), world)
    rolled = [(c.candidate.id, c.row.id) for c in world.rollouts(Stage.PARENT)]
    assert len(rolled) == len(set(rolled))


def test_all_proposals_are_asked_for_side_by_side(toy):
    game = toy.Play(several(toy, proposals=3)).start()
    game.until(lambda game: any(isinstance(c, Propose) for c in game.machine.pending.values()))
    assert len(game.machine.pending) == 3


@pytest.mark.parametrize(
    ("keep", "k", "kept"),
    [
        ("all", 1, ["0.5", "0.4", "0.6"]),
        ("best", 1, ["0.6"]),
        ("top_k", 2, ["0.6", "0.5"]),
    ],
)
def test_as_many_children_join_as_are_kept(toy, keep, k, kept):
    world = toy.World(propose=proposing("0.5", "0.4", "0.1", "0.6"))
    game = toy.play(several(toy, proposals=4, keep=keep, k=k), world)
    texts = [member.candidate.components["prompt"] for member in game.run.pool.members[1:]]
    assert texts == kept
    rejected = {body.reason for body in game.of("candidate.rejected")}
    assert any("another proposal of the iteration is chosen" in reason for reason in rejected) == (
        keep != "all"
    )
    assert len(game.of("candidate.accepted")) == len(kept)


def test_equal_proposals_of_one_iteration_are_rolled_out_once(toy):
    world = toy.World(propose=proposing("0.5", "0.5", "0.5"))
    game = toy.play(several(toy, proposals=3), world)
    assert len(game.of("candidate.duplicate_skipped")) == 2
    assert len(world.rollouts(Stage.CHILD)) == 2


def test_an_iteration_of_many_children_must_fit_the_budget(toy):
    # The seed takes 8; two proposals for one minibatch of 2 at most 2 + 2 * 2 + 2 * 8.
    game = toy.play(several(toy, proposals=2, limits={"train_rollouts": 8 + 21}))
    assert game.of("gepa.stop")[0].kind == "max_train_rollouts"
    assert not game.of("iteration.started")
    assert toy.play(several(toy, proposals=2, limits={"train_rollouts": 8 + 22})).of("iteration.started")


def halves(command):
    """Each component is worth something on rows of its own."""
    name = "left" if command.row.data["n"] % 2 else "right"
    return float(command.candidate.components[name])


def improving(request):
    name = ("left", "right")[request.iteration % 2]
    return Proposal({name: "1"}, usage=FREE)


def merging(toy, **changes):
    return toy.plan(train=8, minibatch_size=8, merging=Merging(every=2, rows=4), **changes)


@pytest.fixture
def always_the_seed(monkeypatch):
    from gepa_framework.engine.pool import Pool

    monkeypatch.setattr(Pool, "select", lambda self, *_: [self.members[0]])


@pytest.fixture
def played(toy, always_the_seed):
    def play(score=halves, plan=None, iterations=3):
        world = toy.World(program=TWO, score=score, propose=improving)
        return toy.play(plan or merging(toy, limits={"iterations": iterations}), world), world

    return play


def test_complementary_candidates_are_merged_without_a_proposer(played):
    game, world = played()
    (proposed,) = game.of("merge.proposed")
    left, right = (body.candidate_id for body in game.of("candidate.accepted")[:2])
    assert set(proposed.parent_ids) == {left, right}
    assert proposed.ancestor_id == game.run.seed.id
    assert len(world.of(Propose)) == 2
    best = game.run.pool.best
    assert dict(best.candidate.components) == {"left": "1", "right": "1"}
    assert set(best.parent_ids) == {left, right}
    assert game.of("candidate.accepted")[-1].rule == "merge"
    (merged,) = [body for body in game.of("candidate.registered") if body.source == "merge"]
    assert merged.changed == ("left", "right")


def test_a_merge_that_is_not_as_good_as_its_parents_is_refused(played):
    def quarrelling(command):
        both = set(command.candidate.components.values()) == {"1"}
        return 0.0 if both else halves(command)

    game, _ = played(quarrelling)
    (rejected,) = [body for body in game.of("candidate.rejected") if body.rule == "merge"]
    assert rejected.reason == "not as good as the better of its parents"
    assert len(game.run.pool.members) == 3


def test_a_merge_that_harms_a_protected_objective_is_refused(toy, always_the_seed):
    def score(command):
        both = set(command.candidate.components.values()) == {"1"}
        return RolloutResult(reward=halves(command), objectives={"care": 0.0 if both else 1.0}, usage=FREE)

    plan = merging(
        toy,
        objectives={"care": "maximize"},
        weighing=Weighing("protected_objective_guard", protected=("care",)),
        limits={"iterations": 3},
    )
    game = toy.play(plan, toy.World(program=TWO, score=score, propose=improving))
    (rejected,) = [body for body in game.of("candidate.rejected") if body.rule == "merge"]
    assert rejected.reason == "a protected objective got worse than the better parent's"
    assert rejected.objective_deltas == {"care": -1.0}


def test_a_merge_evaluates_only_what_its_check_left(played):
    _, world = played()
    full = [command.row.id for command in world.rollouts(Stage.FULL) if command.iteration == 3]
    check = [command.row.id for command in world.rollouts(Stage.CHILD) if command.iteration == 3]
    assert len(check) == 4
    assert sorted(full + check) == [f"train:{n}" for n in range(8)]


def test_a_merge_draws_no_minibatch(toy, played):
    plan = toy.plan(train=8, minibatch_size=2, merging=Merging(every=2, rows=4), limits={"iterations": 4})
    game, _ = played(plan=plan)
    assert len(game.of("merge.proposed")) == 1
    rows = [row for body in game.of("iteration.started") for row in body.rows]
    assert len(rows) == len(set(rows)) == 6


def test_no_more_merges_are_tried_than_allowed(toy, played):
    plan = toy.plan(
        train=8, minibatch_size=8, merging=Merging(every=1, max=1, rows=4), limits={"iterations": 9}
    )
    game, _ = played(plan=plan)
    assert game.run.merges == 1


def weighing(toy, criterion, **options):
    return toy.plan(
        objectives={"speed": "maximize"},
        weighing=Weighing(criterion, **options),
        limits={"iterations": 1},
    )


def with_speed(reward, speeds):
    def score(command):
        child = command.candidate.components["prompt"] == "child"
        return RolloutResult(reward=reward[child], objectives={"speed": speeds[child]}, usage=FREE)

    return score


@pytest.mark.parametrize(
    ("criterion", "reward", "speeds", "accepted"),
    [
        ("primary", (0.5, 0.5), (0.1, 0.9), False),
        ("primary_or_objective", (0.5, 0.5), (0.1, 0.9), True),
        ("primary_or_objective", (0.5, 0.6), (0.9, 0.1), True),
        ("any_objective_improved", (0.5, 0.6), (0.9, 0.1), False),
        ("protected_objective_guard", (0.5, 0.6), (0.9, 0.1), False),
        ("protected_objective_guard", (0.5, 0.6), (0.9, 0.85), True),
    ],
)
def test_objectives_weigh_as_the_criterion_says(toy, criterion, reward, speeds, accepted):
    plan = weighing(toy, criterion, protected=("speed",))
    world = toy.World(score=with_speed(reward, speeds), propose=["child"])
    game = toy.play(plan, world)
    assert bool(game.of("candidate.accepted")) is accepted
    (body,) = game.of("candidate.accepted") + game.of("candidate.rejected")
    assert body.criterion == criterion
    assert body.objective_deltas == pytest.approx(
        {} if criterion == "primary" else {"speed": speeds[1] - speeds[0]}
    )
