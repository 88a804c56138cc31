from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks" / "acceptance"


@pytest.fixture(scope="module")
def study():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield importlib.import_module("study")
    for name in ("study", "plot"):
        sys.modules.pop(name, None)


def outcomes(study, number, decisions=1500):
    rule = study.RULES[number]
    return {
        (rate, gain): study.outcome(rule, rate, gain, decisions)
        for rate in study.RATES
        for gain in study.GAINS
    }


def test_sequential_halves_false_accepts_and_loses_no_true_ones_at_equal_rollouts(study):
    found = [None] * len(study.RULES)
    found[study.REFERENCE] = outcomes(study, study.REFERENCE)
    found[study.OURS] = outcomes(study, study.OURS)
    figures = study.figures(found)
    assert figures["acceptance_false_ratio"] < 0.6  # 0.5, and the noise of 1,500 decisions
    assert figures["acceptance_true_ratio"] > 0.9
    assert figures["acceptance_rollouts_ratio"] < 1.05
    assert figures["acceptance_rows_any_test_needs"] > study.FIRST


def test_the_references_noise_is_reproduced(study):
    found = outcomes(study, study.REFERENCE)
    for rate, false, true in ((0.2, 0.29, 0.423), (0.5, 0.343, 0.441), (0.8, 0.288, 0.381)):
        assert found[rate, 0.0].accepted == pytest.approx(false, abs=0.05)
        assert found[rate, 0.1].accepted == pytest.approx(true, abs=0.05)


def test_the_page_has_the_tables_of_the_study(study):
    page = study.PAGE.read_text(encoding="utf-8")
    within = page.partition(study.BEGIN)[2].partition(study.END)[0]
    for rule in study.RULES:
        assert within.count(f"| {rule.label} |") == 2
    assert len(re.findall(r"\d%", within)) == 9 * len(study.RULES)


def test_the_plot_has_every_rule(study):
    plot = study.PLOT.read_text(encoding="utf-8")
    assert all(rule.label.replace("`", "") in plot for rule in study.RULES)
