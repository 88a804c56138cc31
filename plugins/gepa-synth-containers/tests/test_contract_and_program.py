from __future__ import annotations

import pytest

from gepa_framework.errors import ContainerContractError
from gepa_synth_containers.contract import VERSION, container_name, negotiate
from gepa_synth_containers.program import read_program


def metadata(**contract):
    return {"metadata": {"optimizer_contracts": {"gepa": {"version": VERSION, **contract}}}}


def test_the_two_route_sets_are_told_apart_by_what_is_advertised():
    tasks = negotiate(metadata(taskset_tasks_route="/t/tasks", rollout_route="/r"))
    rows = negotiate(metadata(dataset_rows_route="/d/rows", program_route="/p"))
    both = negotiate(metadata(dataset_route="/dataset", taskset_route="/taskset"))
    assert (tasks.tasks, tasks.rows, tasks.row_field) == ("/t/tasks", None, "task")
    assert (rows.tasks, rows.rows, rows.row_field) == (None, "/d/rows", "dataset_row")
    assert (both.tasks, both.rows) == ("/taskset/tasks", "/dataset/rows")
    assert [contract.name.rpartition("/")[2] for contract in (tasks, rows, both)] == [
        "taskset",
        "dataset",
        "taskset+dataset",
    ]
    assert tasks.rollouts == ("/r", "/rollouts", "/rollout")
    assert rows.rollouts == ("/rollouts", "/rollout")
    assert (tasks.program, rows.program) == ("/program", "/p")


@pytest.mark.parametrize("place", ["top", "capabilities"])
def test_the_older_places_of_the_advertisement_are_read_as_well(place):
    contracts = metadata(taskset_tasks_route="/t")["metadata"]
    assert negotiate(contracts if place == "top" else {"capabilities": contracts}).tasks == "/t"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "found no optimizer contract"),
        ({"capabilities": {"metadata": {"program_ready": False}}}, "program_ready=False"),
        (metadata(), "names neither taskset_tasks_route nor dataset_rows_route: found ['version']"),
        (metadata(taskset_tasks_route="tasks"), "taskset_tasks_route must be an absolute route"),
        (metadata(taskset_tasks_route="//evil.example/x"), "must be an absolute route"),
        (metadata(taskset_tasks_route="/t", rollout_route=5), "rollout_route must be an absolute route"),
        (
            metadata(version="synth_optimizers.gepa.v9"),
            f"must be '{VERSION}', got 'synth_optimizers.gepa.v9'",
        ),
    ],
)
def test_what_is_not_understood_is_refused_with_what_was_found(value, words):
    with pytest.raises(ContainerContractError) as caught:
        negotiate(value)
    assert words in str(caught.value)


def test_polling_is_known_from_the_capabilities():
    able = metadata(taskset_tasks_route="/t")
    assert not negotiate(able).can_poll
    assert negotiate({**able, "capabilities": {"rollout_modes": ["async"]}}).can_poll
    assert negotiate({**able, "capabilities": {"route_hints": {"state_routes": ["/x"]}}}).can_poll


def test_a_container_has_a_name_in_any_case():
    assert container_name({"runtime": {"name": "", "runtime_id": "r1"}}) == "r1"
    assert container_name({}) == "container"


def program(**changes):
    module = {
        "module_id": "m",
        "role": "system",
        "content": "text\n",
        "mutable": True,
        "candidate_field": "f",
    }
    return {"version": "prompt_program.v1", "program_id": "p", "modules": [module], **changes}


def with_variables(value):
    return program(modules=[{**program()["modules"][0], "template_variables": value}])


@pytest.mark.parametrize(
    ("value", "names"),
    [(None, ()), ([], ()), (["query", "{labels}"], ("query", "{labels}")), ([{"name": "query"}], ("query",))],
)
def test_the_variables_that_a_module_declares_are_told(value, names):
    (component,) = read_program(with_variables(value)).components
    assert component.template_variables == names


def test_a_program_that_names_no_target_wants_all_its_components():
    read = read_program(program())
    assert (read.targets, read.task_id) == (("f",), "p")


def test_a_module_is_its_own_seed_where_the_program_gives_none():
    assert read_program(program()).seed == {"f": "text\n"}
    assert read_program(program(seed_candidate={"f": " other "})).seed == {"f": " other "}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "/program must be an object, got nothing"),
        (program(version="v0"), "/program.version must be 'prompt_program.v1', got 'v0'"),
        (program(modules=None), "/program.modules must be an array, got nothing"),
        (program(modules=[5]), "/program.modules[0] must be an object, got int"),
        (program(modules=[]), "no mutable module"),
        (
            program(modules=[{"mutable": True, "candidate_field": "f"}]),
            "/program.modules[0].module_id must be a",
        ),
        (
            program(modules=[{"module_id": "m", "mutable": True}]),
            "('m') is mutable but has no candidate_field",
        ),
        (program(modules=program()["modules"] * 2), "'f' is used by another module already"),
        (
            program(modules=[{**program()["modules"][0], "content": 1}]),
            "/program.modules[0].content must be a",
        ),
        (with_variables("query"), "/program.modules[0].template_variables must be an array, got str"),
        (with_variables(["a", 5]), "template_variables[1] must be the name of a variable, got 5"),
        (with_variables([" "]), "template_variables[0] must be the name of a variable, got ' '"),
        (with_variables([{"label": "a"}]), "template_variables[0] must be the name of a variable"),
        (
            program(target_modules=[{"module_id": "m"}]),
            "/program.target_modules[0] ('m') has no candidate_field",
        ),
        (program(target_modules=[{"candidate_field": "g"}]), "names 'g', which no mutable module declares"),
        (program(seed_candidate=["f"]), "/program.seed_candidate must be an object, got list"),
        (program(seed_candidate={"g": "x"}), "/program.seed_candidate.g names 'g'"),
        (program(seed_candidate={"f": 1}), "/program.seed_candidate.f must be a string, got int"),
        (program(rollout_overlay_schema={"candidate_fields": ["g"]}), "candidate_fields names 'g'"),
        (
            program(rollout_overlay_schema={"candidate_fields": "f"}),
            "candidate_fields must be an array, got str",
        ),
    ],
)
def test_a_program_that_cannot_be_used_is_refused_field_by_field(value, words):
    with pytest.raises(ContainerContractError) as caught:
        read_program(value)
    assert words in str(caught.value)


def test_every_fault_of_a_program_is_told_at_once():
    with pytest.raises(ContainerContractError) as caught:
        read_program(program(seed_candidate={"g": "x"}, target_modules=[{"candidate_field": "h"}]))
    assert "'g'" in str(caught.value)
    assert "'h'" in str(caught.value)
