from __future__ import annotations

import attrs
import pytest

from gepa_framework.config import NO_EFFECT, NO_EFFECT_YET, DiskBudgetSection, GepaSection
from gepa_framework.config.sections.gepa import SelectorTable
from gepa_framework.config.sections.rows import SeedPoolsTable

SECTIONS = {
    "gepa": attrs.evolve(GepaSection(), candidate_selector=SelectorTable(), seed_pools=SeedPoolsTable()),
    "disk_budget": DiskBudgetSection(),
}


@pytest.mark.parametrize("key", [*NO_EFFECT_YET, *NO_EFFECT])
def test_a_key_without_effect_exists(key):
    first, *rest = key.split(".")
    value = SECTIONS[first]
    for part in rest:
        value = getattr(value, part)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("[gepa]\nleakage.policy = 'warn'", []),
        ("[disk_budget]\nenabled = true", []),
        ("[gepa]\nbatch_sampler = 'ordered_epoch'", []),
        ("[gepa.pipeline]\nworkers = {propose = 2, rollout = 3}", []),
        (
            "[gepa.pipeline]\nadaptive_stage_workers.enabled = true",
            ["gepa.pipeline.adaptive_stage_workers.enabled"],
        ),
        ("[merge]\nevery = 5\nmax = 3\nrows = 7", []),
        ("[disk_budget]\nenabled = true\nsoft_limit_gb = 1", ["disk_budget.soft_limit_gb"]),
        (
            (
                "[gepa]\nmax_time_seconds = 5\nmax_proposals = 9\nno_improvement_generations = 2\n"
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
    sets = ["disk_budget.soft_limit_gb=1"]
    loaded = parse(sets=sets, environ={"GEPA_ROLLOUT_CHUNK_SIZE": "3"})
    assert [str(warning) for warning in loaded.warnings] == [
        "--set disk_budget.soft_limit_gb: disk_budget.soft_limit_gb: has no effect yet",
        (
            "GEPA_ROLLOUT_CHUNK_SIZE: gepa.rollout_chunk_size: has no effect; "
            "each rollout is handed over as soon as a worker is free; set gepa.pipeline.workers.rollout"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[gepa.batch_sampler]\nepoch_width = 4", "gepa.batch_sampler.epoch_width"),
        ("[gepa]\nrollout_chunk_size = 4", "gepa.rollout_chunk_size"),
        ("[gepa]\nselection_objective = 'accuracy'", "gepa.selection_objective"),
        (
            "[gepa.pipeline.speculative_completion]\nalpha = 0.5",
            "gepa.pipeline.speculative_completion.alpha",
        ),
    ],
)
def test_what_never_has_an_effect_is_said_with_the_reason(parse, text, path):
    (warning,) = parse(text).warnings
    assert (warning.path, warning.message, warning.hint) == (path, "has no effect", NO_EFFECT[path])
    assert warning.line > 8


def test_what_has_no_effect_yet_may_have_one_some_day():
    assert not set(NO_EFFECT) & set(NO_EFFECT_YET)
