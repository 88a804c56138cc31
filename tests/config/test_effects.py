from __future__ import annotations

import attrs
import pytest

from gepa_framework.config import NO_EFFECT_YET, DiskBudgetSection, GepaSection, MergeSection
from gepa_framework.config.sections.gepa import SelectorTable
from gepa_framework.config.sections.rows import SeedPoolsTable

SECTIONS = {
    "gepa": attrs.evolve(GepaSection(), candidate_selector=SelectorTable(), seed_pools=SeedPoolsTable()),
    "merge": MergeSection(),
    "disk_budget": DiskBudgetSection(),
}


@pytest.mark.parametrize("key", NO_EFFECT_YET)
def test_a_key_without_effect_exists(key):
    first, *rest = key.split(".")
    value = SECTIONS[first]
    for part in rest:
        value = getattr(value, part)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("[gepa]\nproposals_per_generation = 2", ["gepa.proposals_per_generation"]),
        ("[gepa]\nproposals_per_generation = 1", []),
        ("[gepa]\nbatch_sampler = 'ordered_epoch'", []),
        (
            "[gepa.batch_sampler]\nname = 'stratified'\nfield = 'x'\nepoch_width = 4",
            ["gepa.batch_sampler.epoch_width"],
        ),
        ("[gepa]\nscore_threshold_metric = 'heldout'", ["gepa.score_threshold_metric"]),
        ("[gepa.pipeline]\nworkers = {propose = 2, rollout = 3}", ["gepa.pipeline.workers.propose"]),
        (
            "[gepa.pipeline]\nadaptive_stage_workers.enabled = true",
            ["gepa.pipeline.adaptive_stage_workers.enabled"],
        ),
        ("[gepa]\nselection_objective = 'accuracy'", ["gepa.selection_objective"]),
        ("[merge]\nevery = 5\nmax = 3", ["merge.every", "merge.max"]),
        ("[disk_budget]\nenabled = true\nsoft_limit_gb = 1", ["disk_budget.soft_limit_gb"]),
        (
            (
                "[gepa]\nmax_cost_usd = 1\nmax_time_seconds = 5\nmax_total_tokens = "
                "9\nno_improvement_generations = 2\n"
                "perfect_score = 1\ncomponent_selector = 'round_robin'\nmax_rollout_attempts = 1\n"
                "rollout_submission_mode = 'async'\nfailed_rollout_policy = 'stop'\n[cache]\nmode = 'off'"
            ),
            [],
        ),
    ],
)
def test_what_does_nothing_is_said_where_it_stands(parse, text, paths):
    warnings = parse(text).warnings
    assert [warning.path for warning in warnings] == paths
    assert {warning.message for warning in warnings} <= {"has no effect yet"}
    assert all(warning.line > 7 and warning.file == "gepa.toml" for warning in warnings)


def test_an_override_without_effect_names_its_source(parse):
    loaded = parse(sets=["merge.every=5"], environ={"GEPA_WORKERS_PROPOSE": "3"})
    assert [str(warning) for warning in loaded.warnings] == [
        "GEPA_WORKERS_PROPOSE: gepa.pipeline.workers.propose: has no effect yet",
        "--set merge.every: merge.every: has no effect yet",
    ]
