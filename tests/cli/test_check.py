from __future__ import annotations

import json


def test_check_shows_the_plan_and_writes_nothing(shell) -> None:
    before = sorted(shell.path.rglob("*"))
    done = shell.run("check", "--config", "gepa.toml")
    assert (done.exit_code, done.stderr) == (0, "")
    assert sorted(shell.path.rglob("*")) == before
    assert (
        done.stdout
        == f"""\
plugins
  transport  skills    gf-cli-fakes 1.2
  proposer   practice  gf-cli-fakes 1.2
  cache      memory    gepa-framework 0.1.0
  store      sqlite    gepa-framework 0.1.0

plan
  runs go to  {shell.path}/runs
  seed        7
  train       20 rows; candidates are scored on 20
  minibatch   4 of 20 rows
  heldout     30 rows, rolled out for the seed and the best candidate, and for 3 ties at the most
  rules       selection pareto, acceptance strict_improvement
  stops at    200 rollouts of the search; 4 iterations
  at most     260 rollouts (200 for the search, 60 heldout); no limit on money (gepa.max_cost_usd)

gepa.toml is good; nothing was spent. Start it: gepa run --config gepa.toml
"""
    )


def test_every_limit_is_told(shell) -> None:
    limits = "max_cost_usd = 2.5\nmax_time_seconds = 90\nmax_total_tokens = 1000\nmax_proposals = 12\n"
    limits += "rollout_estimated_cost_usd = 0.01\nproposer_estimated_cost_usd = 0.2\n"
    limits += "rollout_estimated_total_tokens = 1\nproposer_estimated_total_tokens = 0\n"
    shell.config(**{"minibatch_size = 4": f"minibatch_size = 4\n{limits}"})
    text = shell.run("check", "--config", "gepa.toml").stdout
    assert "200 rollouts of the search; 12 proposals; 4 iterations; 1:30 of work; $2.50; 1,000 total" in text
    assert "heldout); $2.50\n" in text


def test_the_plan_is_told_as_json(shell) -> None:
    done = shell.run("check", "--config", "gepa.toml", "--json", "--set", "gepa.minibatch_size=5")
    told = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert told["plugins"][1] == {
        "kind": "proposer",
        "name": "practice",
        "distribution": "gf-cli-fakes",
        "version": "1.2",
    }
    assert told["rows"] == {"train": 20, "pareto": 20, "minibatch_pool": 20, "minibatch": 5, "heldout": 30}
    assert told["at_most"] == {"rollouts": 260, "cost_usd": None}
    assert told["overrides"] == ["--set gepa.minibatch_size: gepa.minibatch_size = 5"]


def test_warnings_are_shown_and_counted(shell) -> None:
    shell.config(**{"minibatch_size = 4": "minibatch_size = 4\nrollout_chunk_size = 2"})
    done = shell.run("check", "--config", "gepa.toml")
    assert done.stderr.startswith("warning: gepa.toml:")
    assert "gepa.toml is good with 1 warning;" in done.stdout
    [warning] = json.loads(shell.run("check", "--config", "gepa.toml", "--json").stdout)["warnings"]
    assert warning["path"] == "gepa.rollout_chunk_size"


def test_a_budget_that_cannot_hold_the_run_is_refused(shell) -> None:
    done = shell.run("check", "--config", "gepa.toml", "--set", "gepa.max_total_rollouts=61")
    assert done.exit_code == 3
    assert "the seed's evaluation needs 20 rollouts" in done.stderr


def test_a_limit_on_money_that_cannot_hold_the_run_is_refused(shell) -> None:
    estimates = ("gepa.rollout_estimated_cost_usd=0.01", "gepa.proposer_estimated_cost_usd=1")
    sets = [part for value in ("gepa.max_cost_usd=2.39", *estimates) for part in ("--set", value)]
    done = shell.run("check", "--config", "gepa.toml", *sets)
    assert done.exit_code == 3
    told = " ".join(done.stderr.split())
    assert "may take $2.4, 3 attempts at $0.01 for each rollout, and max_cost_usd is $2.39" in told
    assert "raise gepa.max_cost_usd" in told


def test_an_estimate_that_a_limit_needs_is_asked_for(shell) -> None:
    done = shell.run("check", "--config", "gepa.toml", "--set", "gepa.max_cost_usd=5")
    assert done.exit_code == 3
    for key in ("gepa.rollout_estimated_cost_usd", "gepa.proposer_estimated_cost_usd"):
        assert f"{key}: is required with gepa.max_cost_usd" in " ".join(done.stderr.split())


def test_a_reserve_for_heldout_that_is_never_used_is_not_counted(shell) -> None:
    # The search has 260 rollouts, which evaluate 13 candidates on 20 Pareto rows, and 30 heldout rows each.
    done = shell.run("check", "--config", "gepa.toml", "--json", "--set", "gepa.max_heldout_rollouts=1000")
    assert json.loads(done.stdout)["at_most"]["rollouts"] == 260 + 13 * 30


def test_seed_and_best_are_counted_where_the_search_can_evaluate_one_candidate_alone(shell) -> None:
    sets = ("--set", "gepa.max_heldout_rollouts=1000", "--set", "gepa.max_train_rollouts=25")
    done = shell.run("check", "--config", "gepa.toml", "--json", *sets)
    assert json.loads(done.stdout)["at_most"]["rollouts"] == 25 + 2 * 30


def test_a_reserve_for_heldout_goes_to_ties_in_whole_candidates(shell) -> None:
    text = shell.run("check", "--config", "gepa.toml", "--set", "gepa.max_heldout_rollouts=119").stdout
    assert "30 rows, rolled out for the seed and the best candidate, and for 1 tie at the most\n" in text
    assert "(260 for the search, 90 heldout)" in text
