from __future__ import annotations

import pytest

from gepa_framework.config import locate_problem
from gepa_framework.errors import ConfigError, ExitCode
from gepa_framework.types import compact_json

THREE_MISTAKES = """\
[run]
sed = 7

[container]
url = "http://127.0.0.1:8080"
startup_timeout_seconds = "30"

[dataset]
train_seeds = "0-9"
heldout_seeds = [9, 10]

[proposer]
backend = "codex_app_server"
"""


def test_three_mistakes_are_reported_at_once(parse):
    with pytest.raises(ConfigError) as caught:
        parse(THREE_MISTAKES, whole=True)
    assert str(caught.value) == (
        "gepa.toml:2:1: run.sed: unknown key 'sed'; did you mean 'seed'?\n"
        'gepa.toml:6:1: container.startup_timeout_seconds: expected a number, got the string "30"\n'
        "gepa.toml:10:1: dataset.heldout_seeds: train_seeds and heldout_seeds must be disjoint; "
        "overlapping seeds: 9"
    )
    assert caught.value.message == "3 problems in gepa.toml"
    assert caught.value.exit_code is ExitCode.CONFIG
    assert [(problem.path, problem.line, problem.column) for problem in caught.value.problems] == [
        ("run.sed", 2, 1),
        ("container.startup_timeout_seconds", 6, 1),
        ("dataset.heldout_seeds", 10, 1),
    ]


def test_a_table_is_reported_with_all_that_is_wrong_in_it(lines_of):
    text = "[gepa]\nminibatch_size = 0\nmax_cost_usd = -1\n"
    text += "leakage.policy = 'no'\nworkers = 3\nmax_total_rollouts = '5'"
    assert [line.split(": ")[1] for line in lines_of(text)] == [
        "gepa.minibatch_size",
        "gepa.max_cost_usd",
        "gepa.leakage.policy",
        "gepa.workers",
        "gepa.max_total_rollouts",
    ]


def test_one_mistake_is_one_line(lines_of):
    assert len(lines_of("[policy]\nconfig = {at = 2020-01-01}\nmodel = ''")) == 2


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("container.url", "gepa.toml:2:1"),
        ("container.headers.x", "gepa.toml:1:2"),
        ("dataset.train_seeds.2", "gepa.toml:4:22"),
        ("stoppers.0.seconds", "gepa.toml:8:3"),
        ("gepa.minibatch_size", "--set gepa.minibatch_size"),
        ("gepa", "--set gepa.minibatch_size"),
        ("gepa.minibatch_size.deep", "--set gepa.minibatch_size"),
        ("cache.mode", "GEPA_CACHE_MODE"),
        ('seed_candidate."a.b"', "gepa.toml:11:1"),
        ('seed_candidate."a.c"', "gepa.toml:10:2"),
        ("merge.every", "gepa.toml"),
        ("", "gepa.toml"),
    ],
)
def test_a_problem_found_later_gets_the_nearest_place(parse, path, place):
    text = "[[stoppers]]\nuse = 'never'\n[seed_candidate]\n'a.b' = 'x'"
    loaded = parse(text, sets=["gepa.minibatch_size=3"], environ={"GEPA_CACHE_MODE": "off"})
    problem = locate_problem(loaded, path, "is wrong", "put it right")
    middle = f": {path}" if path else ""
    assert str(problem) == f"{place}{middle}: is wrong; put it right"
    assert problem.path == path


def test_the_record_holds_everything_in_the_shape_of_the_text(parse):
    loaded = parse(
        "model = 'm'\n[[stoppers]]\nuse = 'deadline'\nseconds = 4\n[[listeners]]\nuse = 'jsonl'\n"
        "[gepa]\ncandidate_selector = 'current_best'\ntask_pools.pareto = '0-1'\n"
        "[container.headers]\nCookie = 'c'\n"
        "X-Api-Key = 'k'\n"
    )
    record = loaded.resolved
    assert record["container"]["transport"] == "synth_containers"
    assert record["container"]["headers"] == {"Cookie": "c", "X-Api-Key": "[secret]"}
    assert record["container"]["startup_timeout_seconds"] == 30.0
    assert record["proposer"]["backend"] == "codex_app_server"
    assert record["proposer"]["allow_model_substitution"] is False
    assert record["cache"] == {
        "mode": "readwrite",
        "namespace": None,
        "backend": "sqlite",
        "path": None,
        "max_bytes": None,
    }
    assert record["stoppers"] == [{"use": "deadline", "seconds": 4.0}]
    assert record["listeners"] == [{"use": "jsonl", "on_error": "warn"}]
    assert record["executor"] is None
    assert record["selection"] == {
        "strategy": "current_best",
        "epsilon": 0.1,
        "k": 5,
        "best_floor": 0.0,
        "batch": 10,
        "frontier": "instance",
    }
    assert record["gepa"]["frontier_type"] is None
    assert record["gepa"]["task_pools"]["pareto"] == [0, 1]
    assert record["gepa"]["pipeline"]["workers"] == {"propose": 1, "rollout": 8, "evaluate": 1}
    assert record["dataset"]["heldout"] == [10, 11]
    assert record["run"] == {"run_id": None, "output_dir": "/base/runs", "seed": 0, "scenario": None}


def test_the_record_is_json(parse):
    text = "colour = 'blue'\nnames = ['b', 'a']\npair = [1, 'x']\nextra.a = [1, {b = 2}]\nretries = [{}]"
    head = (
        "[dataset]\ntrain_seeds = [1]\nheldout_seeds = [2]\n[proposer]\nbackend = 'scripted'\n[container]\n"
    )
    record = parse(head + "transport = 'rich'\n" + text, whole=True).resolved
    assert '"colour":"blue"' in compact_json(record)
    assert record["container"]["names"] == ["a", "b"]
    assert record["container"]["shown"] == ""
    assert record["container"]["retries"] == [{"attempts": 2, "pauses": []}]
    assert record["container"]["extra"] == {"a": [1, {"b": 2}]}


def test_equal_texts_give_equal_records(parse):
    assert parse("[gepa]\nminibatch_size = 8").resolved == parse("[run]\nseed = 0").resolved


def test_a_rule_has_one_record_however_it_is_spelled(parse):
    objectives = "[gepa]\nobjective_keys = ['a', 'b']\n"
    older = (
        "candidate_selector = {name = 'top_k_pareto', k = 4}\nfrontier_type = 'per_objective'\n"
        "objective_directions = {a = 'higher_is_better', b = 'lower_is_better'}\n"
        "batch_sampler = 'sequential_epoch'\nacceptance_criterion = 'improvement_or_equal'\n"
    )
    current = (
        "objective_directions = {b = 'minimize'}\nbatch_sampler = {name = 'ordered_epoch'}\n"
        "[selection]\nstrategy = 'top_k_pareto'\nk = 4\nfrontier = 'objective'\n"
        "[acceptance]\nrule = 'improvement_or_equal'"
    )
    assert parse(objectives + older).resolved == parse(objectives + current).resolved
