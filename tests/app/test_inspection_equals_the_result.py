"""What is read off the journal is what the machine came to: the manifest and the exports say the same."""

from __future__ import annotations

import itertools

import pytest

from gepa_framework.app.inspect import explain_candidate, inspect_candidate, inspect_run
from gepa_framework.app.inspect.listing import list_runs
from gepa_framework.app.report.chart import chart_file


@pytest.fixture(params=["plain", "sequential", "store", "pipelined"])
def finished(request, project):
    options = {
        "plain": {},
        "sequential": {"more": '[acceptance]\nrule = "sequential"\nmax_rows = 8\n'},
        "store": {"more": '[store]\nuse = "lines"\n'},
        "pipelined": {"more": '[gepa.pipeline]\nmode = "async_pipelined"\n'},
    }
    return project.run(**options[request.param]).execute()


def test_a_run_is_told_as_its_manifest_tells_it(finished):
    seen = inspect_run(finished.run_dir).overview
    best = seen.best
    assert (seen.run_id, seen.standing.status) == (finished.run_id, finished.status)
    assert (best.candidate_id, best.score, best.stderr) == (
        finished.best_candidate_id,
        finished.best_score,
        finished.best_stderr,
    )
    assert (seen.seed_score, seen.seed_stderr) == (finished.seed_score, finished.seed_stderr)
    assert (seen.rollouts, seen.failed_rollouts) == (finished.rollouts, finished.failed_rollouts)
    assert (seen.iterations, seen.pool) == (finished.iterations, finished.candidates)
    assert seen.costs.cost_usd == finished.cost_usd
    assert seen.verdict.verdict == finished.improvement_verdict.verdict
    assert seen.verdict.p == finished.improvement_verdict.p
    assert seen.standing.reason == finished.stopped_by.message


def test_the_frontier_is_the_exported_one(project, finished):
    seen = inspect_run(finished.run_dir)
    exported = project.read("frontier.json")
    assert {cell["row_id"]: tuple(cell["candidates"]) for cell in exported["cells"]} == seen.frontier.cells
    assert list(seen.frontier.survivors) == exported["survivors"]
    assert list(seen.frontier.members) == [each["candidate_id"] for each in exported["members"]]
    best = {cell["row_id"]: cell["best"] for cell in exported["cells"]}
    for row, *rewards in zip(seen.heatmap.rows, *seen.heatmap.rewards, strict=True):
        assert max(each for each in rewards if each is not None) == best[row]


def test_the_candidates_are_the_exported_ones(project, finished):
    seen = inspect_run(finished.run_dir).candidates
    exported = project.read("candidate_registry.json")["candidates"]
    assert [each.candidate_id for each in seen] == [each["candidate_id"] for each in exported]
    for each, told in zip(seen, exported, strict=True):
        assert each.components == told["components"]
        assert (each.pareto.score if each.pareto else None) == told["train_reward"]
        assert (each.heldout.score if each.heldout else None) == told["heldout_reward"]
        assert each.spent.rollouts == sum(each.spent.stages.values())
    assert sum(each.spent.rollouts for each in seen) == finished.rollouts


def test_the_chart_beside_a_run_is_drawn_from_the_same_numbers(finished):
    assert finished.score_chart_path.read_text() == chart_file(inspect_run(finished.run_dir).curve)


def test_the_rows_of_a_decision_add_up_to_its_numbers(finished):
    decided = [each for each in inspect_run(finished.run_dir).candidates if each.decision]
    assert decided
    for each in decided:
        why = explain_candidate(finished.run_dir, each.candidate_id)
        assert len(why.comparisons) == each.decision.rows
        assert sum(row.after for row in why.comparisons) == each.decision.after
        assert sum(row.before for row in why.comparisons) == each.decision.before


def test_a_lineage_leads_from_the_seed_to_the_candidate(finished):
    story = inspect_candidate(finished.run_dir, "best")
    steps = [step.candidate for step in story.lineage]
    assert steps[0].status == "seed"
    assert steps[-1] == story.candidate
    for parent, child in itertools.pairwise(steps):
        assert child.parent_ids[0] == parent.candidate_id
    assert {each.candidate_id for each in story.log} <= {"", story.candidate.candidate_id}


def test_looking_at_a_run_changes_nothing(finished):
    def files():
        return {
            path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in finished.run_dir.iterdir()
        }

    before = files()
    inspect_run(finished.run_dir)
    explain_candidate(finished.run_dir, "best")
    assert files() == before


def test_a_row_of_the_list_tells_the_same_without_going_through_the_run(finished):
    (row,) = list_runs(finished.run_dir.parent)
    seen = inspect_run(finished.run_dir).overview
    assert (row.status, row.verdict, row.rollouts) == ("finished", seen.verdict.verdict, seen.rollouts)
    assert (row.best_candidate_id, row.best_score, row.best_stderr) == (
        seen.best.candidate_id,
        seen.best.score,
        seen.best.stderr,
    )
    assert (row.cost_usd, row.known_usd) == (seen.costs.cost_usd, seen.costs.known_usd)
