from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from gepa_framework.app import GepaRunResult
from gepa_framework.cli.summary import heldout_line, summary
from gepa_framework.engine import HeldoutScore
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
        seed_score=0.37,
        heldout={
            "seed": HeldoutScore(0.365, 0.0215, 500, 500),
            "best": HeldoutScore(0.641, 0.0201, 499, 500),
        },
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

      Pareto  heldout
seed  0.370   0.365 ± 0.021 on 500 of 500 rows
best  0.655   0.641 ± 0.020 on 499 of 500 rows

run          runs/first
best text    runs/first/best_candidate.json
workspace    runs/first/workspace.sqlite
manifest     runs/first/result_manifest.json
score chart  runs/first/score_chart.svg

heldout: seed 0.365 -> best 0.641 (n=499, stderr 0.020)"""


def test_the_summary_reads_like_this(result) -> None:
    assert summary(result) == EXPECTED


def test_a_known_cost_is_told_in_dollars(result) -> None:
    text = summary(attrs.evolve(result, cost_usd=1234.5, unpriced=()))
    assert "; cost $1,234.5000\n" in text


def test_a_free_run_costs_nothing_rather_than_something_unknown(result) -> None:
    assert "; cost $0.0000\n" in summary(attrs.evolve(result, cost_usd=0.0, unpriced=()))


def test_without_heldout_scores_the_last_line_says_so(result) -> None:
    bare = attrs.evolve(result, heldout={})
    assert heldout_line(bare) == "heldout: not measured, the run finished without heldout scores on record"
    assert summary(bare).splitlines()[-1] == heldout_line(bare)
    assert "best  0.655   not measured" in summary(bare)


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
    text = summary(attrs.evolve(empty, stopped_by=None))
    assert "best        none of 0 candidates" in text
    assert "stopped by  not stopped by a limit" in text
    assert "seed  unknown" in text


def test_what_a_stopper_says_stays_on_its_line(result) -> None:
    sly = attrs.evolve(result, stopped_by=StopReason("sly", message="one\ntwo\x1b[2J"))
    assert "stopped by  one two\ufffd[2J\n" in summary(sly)
