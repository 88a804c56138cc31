from __future__ import annotations

import attrs
import pytest

from gepa_framework.engine import ComponentRule, Selecting, Status
from gepa_framework.engine.setup import resolve_targets, seed_texts
from gepa_framework.errors import ConfigError
from gepa_framework.types import ComponentSpec, Program, RowsRequest, Stage, TaskRow

WIDE = Program(
    program_id="wide",
    task_id="wide-task",
    components=(
        ComponentSpec("writer_system", module_id="writer", role="system"),
        ComponentSpec("writer_user", module_id="writer", role="user"),
        ComponentSpec("judge_system", module_id="judge", role="system"),
    ),
    targets=("judge_system",),
    seed={"writer_system": "0.2", "writer_user": "0.2", "judge_system": "0.2"},
)


def refusal(toy, program=WIDE, **changes):
    """Play a run that set-up must refuse and give the one problem."""
    game = toy.play(toy.plan(**changes), toy.World(program=program))
    assert game.machine.status is Status.FAILED
    assert isinstance(game.machine.failure, ConfigError)
    assert game.world.rollouts() == []
    (problem,) = game.machine.failure.problems
    assert game.events[-1].error_code == "gepa_config_error"
    assert game.events[-1].details == {"paths": [problem.path]}
    return problem


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((), ("judge_system",)),
        (("writer_user",), ("writer_user",)),
        (("judge",), ("judge_system",)),
        (("writer",), ("writer_system", "writer_user")),
        (("judge", "judge_system"), ("judge_system",)),
        (("writer_user", "writer"), ("writer_user", "writer_system")),
    ],
)
def test_targets_are_named_by_component_or_by_module(toy, wanted, found):
    assert resolve_targets(toy.plan(target_modules=wanted), WIDE) == found


def test_without_any_target_every_component_is_one(toy):
    bare = attrs.evolve(WIDE, targets=())
    assert resolve_targets(toy.plan(), bare) == ("judge_system", "writer_system", "writer_user")


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        ("writer_sytem", "did you mean 'writer_system'?"),
        ("juge", "did you mean 'judge'?"),
        ("zzz", "the program has 'judge', 'judge_system', 'writer', 'writer_system', 'writer_user'"),
    ],
)
def test_an_unknown_target_is_refused_with_the_nearest_name(toy, target, advice):
    problem = refusal(toy, target_modules=("writer", target))
    assert problem.path == "candidate.target_modules.1"
    assert repr(target) in problem.message
    assert problem.hint == advice


def test_a_program_without_components_is_refused(toy):
    empty = attrs.evolve(WIDE, components=(), targets=(), seed={})
    problem = refusal(toy, empty)
    assert problem.path == "candidate"
    assert "no component" in problem.message


def test_texts_of_the_configuration_take_the_place_of_the_programs(toy):
    plan = toy.plan(seed_candidate={"writer_user": "mine"})
    texts = seed_texts(plan, WIDE)
    assert texts == {"writer_system": "0.2", "writer_user": "mine", "judge_system": "0.2"}


def test_a_seed_text_for_no_component_is_refused_with_the_nearest_name(toy):
    problem = refusal(toy, seed_candidate={"judge_sytem": "x"})
    assert (problem.path, problem.hint) == ("seed_candidate.judge_sytem", "did you mean 'judge_system'?")


@pytest.mark.parametrize("given", [None, {"judge_system": ""}])
def test_a_target_without_a_text_is_refused(toy, given):
    program = WIDE if given else attrs.evolve(WIDE, seed={"writer_user": "x"})
    problem = refusal(toy, program, seed_candidate=given)
    assert problem.path == "seed_candidate"
    assert "no text for 'judge_system'" in problem.message
    assert problem.hint == "write judge_system = ..."


def test_a_component_that_is_no_target_may_be_empty(toy):
    program = attrs.evolve(WIDE, seed={"judge_system": "0.5"})
    assert toy.play(world=toy.World(program=program)).machine.status is Status.FINISHED


def test_candidate_ids_begin_with_the_prefix_of_the_plan(toy):
    game = toy.play(toy.plan(candidate_prefix="mine"))
    assert {body.candidate_id.rpartition("_")[0] for body in game.of("candidate.registered")} == {"mine"}


def test_only_targets_are_asked_for(toy):
    game = toy.play(toy.plan(target_modules=("writer",)), toy.World(program=WIDE))
    assert {body.components for body in game.of("proposer.started")} == {("writer_system", "writer_user")}


def test_the_pareto_rows_may_be_fewer_than_the_training_rows(toy):
    game = toy.play(toy.plan(train=6, pareto=("train:4", "train:1")))
    seed_rows = [command.row.id for command in game.world.rollouts(Stage.SEED)]
    assert seed_rows == ["train:4", "train:1"]
    assert {body.rows for body in game.of("candidate.evaluated")} == {2}


def test_minibatches_are_drawn_from_their_pool(toy):
    game = toy.play(toy.plan(train=6, minibatch_pool=("train:5", "train:2"), limits={"iterations": 3}))
    drawn = {row for body in game.of("iteration.started") for row in body.rows}
    assert drawn == {"train:5", "train:2"}


def test_pools_may_name_rows_by_seed(toy):
    game = toy.play(toy.plan(train=6, pareto=("3", "0"), minibatch_pool=("1",)))
    assert [command.row.id for command in game.world.rollouts(Stage.SEED)] == ["train:3", "train:0"]
    assert game.of("iteration.started")[0].rows == ("train:1",)


def test_an_id_goes_before_the_seed_of_another_row(toy):
    def row(split, seed):
        return TaskRow(id=str(5 - seed), split=split, data={"n": seed}, seed=seed)

    game = toy.play(toy.plan(train=6, pareto=("1",)), toy.World(rows=row))
    assert [command.row.id for command in game.world.rollouts(Stage.SEED)] == ["1"]


@pytest.mark.parametrize("field", ["pareto", "minibatch_pool"])
def test_a_pool_that_names_no_training_row_is_refused(toy, field):
    name = {"pareto": "pareto", "minibatch_pool": "minibatch"}[field]
    problem = refusal(toy, **{field: ("train:0", "heldout:100")})
    assert problem.path == f"gepa.task_pools.{name}.1"
    assert "'heldout:100' is not one of the training rows" in problem.message


@pytest.mark.parametrize("field", ["pareto", "minibatch_pool"])
def test_a_pool_that_names_a_row_twice_is_refused(toy, field):
    name = {"pareto": "pareto", "minibatch_pool": "minibatch"}[field]
    problem = refusal(toy, **{field: ("train:1", "train:0", "1")})
    assert problem.path == f"gepa.task_pools.{name}.2"
    assert "'train:1'" in problem.message


def test_rows_may_be_asked_for_by_id(toy):
    plan = toy.plan(pareto=("b",))
    plan = attrs.evolve(
        plan, train=RowsRequest("train", ids=("a", "b")), heldout=RowsRequest("test", ids=("c",))
    )
    game = toy.play(plan)
    assert game.machine.status is Status.FINISHED
    assert [body.rows for body in game.of("dataset.rows.loaded")] == [("a", "b"), ("c",)]


def test_components_take_turns_with_each_parent(toy):
    plan = toy.plan(
        target_modules=("writer", "judge"),
        component_rule=ComponentRule.ROUND_ROBIN,
        selecting=Selecting("current_best"),
        limits={"iterations": 6},
    )

    def propose(request):
        # Only the fourth proposal is an improvement, so the parent changes once.
        return toy.rising(request) if request.iteration == 4 else toy.ProposalFailure("no", "not now")

    world = toy.World(
        program=WIDE, propose=propose, score=lambda c: sum(map(float, c.candidate.components.values())) / 9
    )
    asked = [body.components for body in toy.play(plan, world).of("proposer.started")]
    assert asked[:4] == [("writer_system",), ("writer_user",), ("judge_system",), ("writer_system",)]
    assert asked[4:] == [("writer_system",), ("writer_user",)]
