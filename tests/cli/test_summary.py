from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from gepa_framework.app import GepaRunResult
from gepa_framework.app.identities import CandidateScore, Deployment
from gepa_framework.cli.summary import heldout_line, summary
from gepa_framework.engine import HeldoutScore, ImprovementVerdict, Verdict
from gepa_framework.types import StopReason, Usage

RUN = Path("runs/first")


@pytest.fixture
def result() -> GepaRunResult:
    return GepaRunResult(
        run_id="first",
        run_dir=RUN,
        status="finished",
        best_candidate={"prompt": "think"},
        best_candidate_id="gepa_0123456789ab",
        best_score=0.655,
        best_stderr=0.0475,
        seed_score=0.37,
        seed_stderr=0.0485,
        heldout={
            "seed": HeldoutScore(0.365, 0.0215, 500, 500),
            "best": HeldoutScore(0.641, 0.0201, 499, 500),
        },
        improvement_verdict=ImprovementVerdict(
            Verdict.DEMONSTRATED,
            "gepa_0123456789ab",
            499,
            210,
            0.2755,
            0.0264,
            3.2e-25,
            0.95,
            "p is at most 0.05",
        ),
        optimization_selected_candidate=CandidateScore("gepa_0123456789ab", 0.655, 0.0475, 100, "train"),
        heldout_best_candidate=CandidateScore("gepa_0123456789ab", 0.641, 0.0201, 499, "heldout"),
        deployment_candidate=Deployment("gepa_0123456789ab", "optimization_selected"),
        heldout_measurements_by_candidate=(
            CandidateScore("gepa_00", 0.365, 0.0215, 500, "heldout"),
            CandidateScore("gepa_0123456789ab", 0.641, 0.0201, 499, "heldout"),
        ),
        stopped_by=StopReason("max_rollouts", 1500, 1490, "1490 of 1500 rollouts are used"),
        iterations=37,
        candidates=12,
        rollouts=1490,
        failed_rollouts=3,
        cost_usd=None,
        usage=Usage(),
        unpriced=("proposer", "container"),
        limits={"train_rollouts": 1500, "heldout_rollouts": 1000},
        extensions=(),
        events=1600,
        failure=None,
        manifest_path=RUN / "result_manifest.json",
        event_feed_path=RUN / "events.jsonl",
        normalized_event_feed_path=RUN / "events.normalized.jsonl",
        cache_profile_path=RUN / "cache_profile.json",
        candidate_registry_path=RUN / "candidate_registry.json",
        best_candidate_path=RUN / "best_candidate.json",
        frontier_path=RUN / "frontier.json",
        score_chart_path=RUN / "score_chart.svg",
        run_registry_path=Path("runs/run_registry.jsonl"),
        workspace_db_path=RUN / "workspace.sqlite",
    )


EXPECTED = """\
run         first finished
stopped by  1490 of 1500 rollouts are used
spent       1,490 rollouts (3 failed) in 37 iterations; cost unknown (no price for proposer, container)
best        gepa_0123456789ab of 12 candidates

      Pareto         heldout
seed  0.370 ± 0.049  0.365 ± 0.021 on 500 of 500 rows
best  0.655 ± 0.048  0.641 ± 0.020 on 499 of 500 rows

run          runs/first
best text    runs/first/best_candidate.json
workspace    runs/first/workspace.sqlite
manifest     runs/first/result_manifest.json
score chart  runs/first/score_chart.svg

verdict: improvement_demonstrated (mean difference +0.276, n=499, stderr 0.026, p 3.2e-25, confidence 0.95): \
p is at most 0.05

heldout: seed 0.365 -> best 0.641 (n=499, stderr 0.020)"""


def test_the_summary_reads_like_this(result) -> None:
    assert summary(result) == EXPECTED


def test_a_known_cost_is_told_in_dollars(result) -> None:
    text = summary(attrs.evolve(result, cost_usd=1234.5, unpriced=()))
    assert "; cost $1,234.5000\n" in text


def test_a_free_run_costs_nothing_rather_than_something_unknown(result) -> None:
    assert "; cost $0.0000\n" in summary(attrs.evolve(result, cost_usd=0.0, unpriced=()))


def test_without_heldout_scores_the_last_line_says_so(result) -> None:
    bare = attrs.evolve(result, heldout={}, improvement_verdict=None)
    assert heldout_line(bare) == "heldout: not measured, the run finished without heldout scores on record"
    assert summary(bare).splitlines()[-1] == heldout_line(bare)
    assert "best  0.655 ± 0.048  not measured" in summary(bare)
    assert "verdict" not in summary(bare)


@pytest.mark.parametrize(("role", "who"), [("seed", "the seed"), ("best", "the best candidate")])
def test_heldout_rollouts_that_all_failed_are_named(result, role: str, who: str) -> None:
    nothing = {**result.heldout, role: HeldoutScore(None, None, 0, 500)}
    line = heldout_line(attrs.evolve(result, heldout=nothing))
    assert line == f"heldout: not measured, not one heldout rollout of {who} gave a score"


def test_one_row_has_no_standard_error(result) -> None:
    one = {"seed": HeldoutScore(0.0, None, 1, 1), "best": HeldoutScore(1.0, None, 1, 1)}
    text = summary(attrs.evolve(result, heldout=one))
    assert text.splitlines()[-1] == "heldout: seed 0.000 -> best 1.000 (n=1, stderr unknown)"
    assert "1.000 on 1 of 1 rows" in text


def test_a_run_without_a_candidate_still_has_a_summary(result) -> None:
    empty = attrs.evolve(
        result, best_candidate={}, best_candidate_id="", best_score=None, seed_score=None, candidates=0
    )
    empty = attrs.evolve(empty, best_stderr=None, seed_stderr=None, optimization_selected_candidate=None)
    text = summary(attrs.evolve(empty, stopped_by=None))
    assert "best        none of 0 candidates" in text
    assert "stopped by  not stopped by a limit" in text
    assert "seed  unknown" in text


def test_a_candidate_that_was_chosen_by_heldout_score_is_told_beside_the_one_that_was_not(result) -> None:
    other = attrs.evolve(
        result,
        best_candidate_id="gepa_tie",
        deployment_candidate=Deployment("gepa_tie", "heldout_best"),
        heldout={**result.heldout, "best": HeldoutScore(0.7, 0.02, 500, 500)},
    )
    text = summary(other)
    assert "best        gepa_tie of 12 candidates, chosen by its heldout score\n" in text
    assert "best      0.655 ± 0.048  0.700 ± 0.020 on 500 of 500 rows\n" in text
    assert "selected  0.655 ± 0.048  0.641 ± 0.020 on 499 rows\n" in text
    assert "\nverdict on gepa_0123456789ab: improvement_demonstrated (" in text


def test_a_seed_that_was_selected_has_a_verdict_without_a_test(result) -> None:
    verdict = ImprovementVerdict(
        Verdict.NONE_MEASURED, "gepa_00", 500, 0, 0.0, None, None, 0.95, "the search selected the seed"
    )
    lines = summary(attrs.evolve(result, improvement_verdict=verdict)).splitlines()
    assert lines[-3] == (
        "verdict: no_measured_improvement (mean difference +0.000, n=500, confidence 0.95): "
        "the search selected the seed"
    )


def test_what_a_stopper_says_stays_on_its_line(result) -> None:
    sly = attrs.evolve(result, stopped_by=StopReason("sly", message="one\ntwo\x1b[2J"))
    assert "stopped by  one two\ufffd[2J\n" in summary(sly)
