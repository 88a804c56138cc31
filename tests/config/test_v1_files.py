from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"


def warned(loaded):
    assert all(
        problem.message.startswith(("has no effect", "has no further effect"))
        or "is called" in problem.message
        for problem in loaded.warnings
    )
    return {problem.path for problem in loaded.warnings}


@pytest.fixture
def seeds(load):
    return load(DATA / "banking77_seeds.toml")


@pytest.fixture
def tasks(load):
    return load(DATA / "banking77_tasks.toml")


def test_a_file_with_seeds_loads_unchanged(seeds):
    config = seeds.config
    assert (config.dataset.kind, len(config.dataset.train), config.dataset.heldout[0]) == ("seeds", 16, 100)
    assert config.dataset.filters == {"domain": "banking", "max_length": 400}
    assert config.gepa.rollout_async_timeout_seconds == 120.0
    assert config.run.output_dir == DATA / "runs"
    assert config.container.options.startup_timeout_seconds == 45.0
    assert config.cache.backend.options.path == Path(".cache/gepa.sqlite")
    assert config.policy["config"] == {"temperature": 0.0, "stop": ("\n",)}
    assert config.seed_candidate["stage2_system"].startswith("You classify")
    assert config.seed_candidate["stage2_system"].endswith("nothing else.\n")


def test_seed_pools_become_task_pools(seeds):
    gepa = seeds.config.gepa
    assert gepa.task_pools.pareto == tuple(range(8))
    assert gepa.task_pools.minibatch == (8, 9, 10, 11)
    assert gepa.task_pools.heldout == (100, 101, 102, 103)
    assert gepa.seed_pools is None


def test_older_names_become_current_ones(seeds):
    assert seeds.config.selection.strategy == "pareto"
    assert seeds.config.acceptance.rule == "strict_improvement"
    assert seeds.config.selection.frontier == "instance"
    assert seeds.config.gepa.batch_sampler.name == "epoch_shuffled"
    assert seeds.config.gepa.objective_directions == {"accuracy": "maximize", "brevity": "minimize"}


def test_a_file_with_seeds_warns_of_what_does_nothing(seeds):
    assert warned(seeds) == {
        "gepa.rollout_chunk_size",
        "gepa.selection_objective",
        "gepa.objective_keys",
        "gepa.objective_directions",
        *(
            f"gepa.objective_acceptance.{key}"
            for key in ("min_objective_delta", "objective_regression_tolerance", "protected_objectives")
        ),
        "gepa.minibatch_acceptance_criterion",
        "gepa.acceptance_criterion",
        "gepa.candidate_selector.name",
        "gepa.batch_sampler.name",
        "gepa.seed_pools.reflection",
    }


def test_warnings_stand_in_the_order_of_the_file(seeds):
    lines = [problem.line for problem in seeds.warnings]
    assert lines == sorted(lines)
    assert lines[0] > 0


def test_a_file_with_ids_loads_unchanged(tasks):
    config = tasks.config
    assert (config.dataset.kind, config.dataset.heldout) == ("ids", ("b77-test-0", "b77-test-1"))
    assert config.run.run_id is None
    assert config.run.output_dir == DATA / "../runs"
    assert config.selection.strategy == "current_best"
    assert config.acceptance.rule == "improvement_or_equal"
    assert config.container.options.headers == {"X-Tenant": "demo"}
    assert config.gepa.pipeline.adaptive_rollout_concurrency.initial == 8
    assert config.seed_candidate is None
    assert (config.cache.mode, config.cache.namespace, config.cache.backend.name) == ("off", None, "sqlite")


def test_a_file_with_ids_warns_of_what_does_nothing_yet(tasks):
    assert warned(tasks) == {
        "gepa.task_pools.reflection",
    }


def test_the_minimal_file_has_nothing_to_warn_of(parse):
    assert parse().warnings == ()
