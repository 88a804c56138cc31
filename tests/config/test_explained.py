"""Every value says where it came from."""

from __future__ import annotations

import pytest

from gepa_framework.config.explained import Origin, Overruled, explain


@pytest.fixture(scope="session")
def told(parse):
    """Explain the minimal configuration with a text behind it; give the values by path."""

    def told(text="", **options):
        return {value.path: value for value in explain(parse(text, **options))}

    return told


SEED3 = "[run]\n  seed = 3"
DEADLINE = '[[stoppers]]\nuse = "deadline"\nseconds = 3'
WORKERS = "gepa.pipeline.workers.rollout"
WHOLE = "gepa.pipeline={workers={rollout=3}}"
RUN_ID = {"GEPA_RUN_ID": "a"}
OLDER_ID = {"SYNTH_OPTIMIZERS_RUN_ID": "a"}
#: A text, what overrides it, and what the value of a path must say of itself.
SOURCES = (
    ("", {}, "gepa.minibatch_size", "default", "default"),
    ("", {}, "container.send_labels", "plugin default", "default of the transport synth_containers"),
    ("", {}, "container.url", "file", "gepa.toml:2:1"),
    ("", {}, "cache.max_bytes", "plugin default", "default of the cache sqlite"),
    ("", {}, "cache.mode", "default", "default"),
    (SEED3, {}, "run.seed", "file", "gepa.toml:9:3"),
    (SEED3, {"sets": ["run.seed=3"]}, "run.seed", "set", "--set"),
    ("", {"environ": RUN_ID}, "run.run_id", "variable", "GEPA_RUN_ID"),
    ("", {"environ": OLDER_ID}, "run.run_id", "variable", "SYNTH_OPTIMIZERS_RUN_ID"),
    ("", {"environ": RUN_ID, "sets": ["run.run_id=b"]}, "run.run_id", "set", "--set"),
    ("", {"sets": [WHOLE]}, WORKERS, "set", "--set gepa.pipeline"),
    ("", {"sets": [f"{WORKERS}=2", WHOLE]}, WORKERS, "set", "--set gepa.pipeline"),
    (DEADLINE, {}, "stoppers.0.seconds", "file", "gepa.toml:10:1"),
    ('[policy]\n"odd key" = 1', {}, 'policy."odd key"', "file", "gepa.toml:9:1"),
)
SELECTOR = '[gepa]\ncandidate_selector = { name = "top_k_pareto", k = 4 }'
CRITERION = '[gepa]\nacceptance_criterion = "improvement_or_equal"'
#: A text, a path, its value, and the path that it was written under.
OLDER = (
    ("", "dataset.train", [0, 1, 2, 3], "dataset.train_seeds"),
    (
        *("[gepa]\nseed_pools = { pareto_eval = [1, 2] }", "gepa.task_pools.pareto", [1, 2]),
        "gepa.seed_pools.pareto_eval",
    ),
    (
        *('[gepa]\ncandidate_selector = "pareto_weighted"', "selection.strategy", "pareto"),
        "gepa.candidate_selector",
    ),
    (SELECTOR, "selection.k", 4, "gepa.candidate_selector.k"),
    ("[gepa]\nminibatch_accept_margin = 0.5", "acceptance.margin", 0.5, "gepa.minibatch_accept_margin"),
    (
        *('[gepa]\nbatch_sampler = "ordered_epoch"', "gepa.batch_sampler.name", "ordered_epoch"),
        "gepa.batch_sampler",
    ),
    (CRITERION, "acceptance.rule", "improvement_or_equal", "gepa.acceptance_criterion"),
    (CRITERION, "acceptance.criterion", "primary", ""),
)


@pytest.mark.parametrize("case", SOURCES, ids=lambda case: f"{case[2]}-{case[3]}")
def test_a_value_says_where_it_came_from(told, case) -> None:
    text, options, path, origin, source = case
    value = told(text, **options)[path]
    assert (value.origin, value.source) == (origin, source)


@pytest.mark.parametrize(("text", "path", "value", "written_as"), OLDER)
def test_an_older_spelling_is_named(told, text, path, value, written_as) -> None:
    found = told(text)[path]
    assert (found.value, found.written_as) == (value, written_as)
    assert (found.origin is Origin.FILE) == bool(written_as)


def test_rows_by_id_are_found_in_their_table(parse) -> None:
    text = '[taskset]\ntrain_ids = ["a"]\nheldout_ids = ["b"]\n[container]\nurl = "http://h"\n'
    loaded = parse(text + '[proposer]\nbackend = "scripted"\n', whole=True)
    found = {value.path: value for value in explain(loaded)}
    assert found["dataset.train"].written_as == "taskset.train_ids"


def test_what_is_overruled_is_named(told) -> None:
    environ = {"GEPA_WORKERS_ROLLOUT": "3", "GEPA_RUN_ID": "same"}
    text = '[run]\nrun_id = "same"\n[gepa.pipeline.workers]\nrollout = 8\n'
    found = told(text, environ=environ, sets=["gepa.pipeline.workers.rollout=5"])
    assert found["gepa.pipeline.workers.rollout"].overruled == (
        Overruled("gepa.toml:11:1", 8),
        Overruled("GEPA_WORKERS_ROLLOUT", 3),
    )
    assert found["run.run_id"].overruled == ()


@pytest.mark.parametrize(
    ("text", "path", "note"),
    [
        ("", "selection.k", "has no effect with strategy pareto"),
        ("[selection]\nk = 3", "selection.k", "has no effect with strategy pareto"),
        ('[selection]\nstrategy = "top_k_pareto"', "selection.k", ""),
        ("", "merge.rows", "has no effect without merge.every"),
        ("[merge]\nevery = 3", "merge.rows", ""),
        ("", "disk_budget.soft_limit_gb", "has no effect yet"),
        ("", "gepa.pipeline.max_in_flight_candidates", "has no effect with mode sync_serial"),
        ('[gepa.pipeline]\nmode = "async_pipelined"', "gepa.pipeline.workers.evaluate", ""),
        ("", "gepa.pipeline.delta_max", "has no effect with staleness_policy full"),
        ("", "acceptance.max_rows", "has no effect with rule strict_improvement"),
        ("", "gepa.rollout_chunk_size", "has no effect: each rollout"),
        ("", "gepa.objective_acceptance.min_objective_delta", "has no effect with criterion primary"),
        ('[gepa.pipeline]\nmode = "flash_evolve"', "gepa.pipeline.mode", '"flash_evolve" is called'),
    ],
)
def test_what_has_no_effect_says_so(told, text, path, note) -> None:
    found = told(text)[path].note
    assert found.startswith(note)
    assert bool(found) == bool(note)


def test_secrets_are_masked_in_what_holds_and_in_what_is_overruled(told) -> None:
    sets = ['container.headers={authorization="first-one"}', 'container.headers.authorization="other-one"']
    found = told("", sets=sets)
    value = found["container.headers.authorization"]
    assert value.value == "[secret]"
    assert "first-one" not in repr(found)
    assert "other-one" not in repr(found)


def test_every_value_of_the_record_is_there(parse) -> None:
    loaded = parse('[[stoppers]]\nuse = "never"\n[[listeners]]\nuse = "jsonl"\n')
    paths = [value.path for value in explain(loaded)]
    assert len(paths) == len(set(paths))
    assert {path.partition(".")[0] for path in paths} == set(loaded.resolved)
    assert {"stoppers.0.use", "listeners.0.on_error", "executor", "prices"} <= set(paths)
