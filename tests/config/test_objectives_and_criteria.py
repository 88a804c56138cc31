from __future__ import annotations

import pytest

KEYS = "[gepa]\nobjective_keys = ['speed', 'cost']\n"
GUARD = KEYS + "objective_acceptance.protected_objectives = ['cost']\n"


@pytest.mark.parametrize(
    ("text", "rule", "criterion"),
    [
        ("", "strict_improvement", "primary"),
        (
            KEYS + "[acceptance]\ncriterion = 'primary_or_objective'",
            "strict_improvement",
            "primary_or_objective",
        ),
        (
            KEYS + "acceptance_criterion = 'any_objective_improved'",
            "strict_improvement",
            "any_objective_improved",
        ),
        (
            KEYS + "minibatch_acceptance_criterion = 'primary_or_objective'\n[acceptance]\nrule = 'paired'",
            "paired",
            "primary_or_objective",
        ),
        (
            GUARD + "acceptance_criterion = 'protected_objective_guard'\n"
            "minibatch_acceptance_criterion = 'protected_objective_guard'\n"
            "[acceptance]\ncriterion = 'protected_objective_guard'",
            "strict_improvement",
            "protected_objective_guard",
        ),
        (
            GUARD + "acceptance_criterion = 'improvement_or_equal'\n"
            "[acceptance]\ncriterion = 'protected_objective_guard'",
            "improvement_or_equal",
            "protected_objective_guard",
        ),
    ],
)
def test_the_criterion_has_two_spellings(parse, text, rule, criterion):
    loaded = parse(text)
    acceptance = loaded.config.acceptance
    assert (acceptance.rule, acceptance.criterion) == (rule, criterion)
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[acceptance]\ncriterion = 'any_objective_improved'",
            (
                '9:1: acceptance.criterion: "any_objective_improved" needs objectives; '
                'name them: gepa.objective_keys = ["…"]'
            ),
        ),
        (
            "[gepa]\nminibatch_acceptance_criterion = 'primary_or_objective'",
            (
                '9:1: gepa.minibatch_acceptance_criterion: "primary_or_objective" needs objectives; '
                'name them: gepa.objective_keys = ["…"]'
            ),
        ),
        (
            KEYS + "[acceptance]\ncriterion = 'protected_objective_guard'",
            (
                '11:1: acceptance.criterion: "protected_objective_guard" needs objectives to protect; '
                'name them: gepa.objective_acceptance.protected_objectives = ["…"]'
            ),
        ),
        (
            KEYS + "objective_acceptance.protected_objectives = ['speed', 'cots']",
            (
                "10:55: gepa.objective_acceptance.protected_objectives.1: "
                "\"cots\" is not one of gepa.objective_keys; did you mean 'cost'?"
            ),
        ),
        (
            KEYS + "acceptance_criterion = 'any_objective_improved'\n"
            "[acceptance]\ncriterion = 'primary_or_objective'",
            (
                "12:1: acceptance.criterion: says primary_or_objective where gepa.acceptance_criterion says "
                "any_objective_improved; keep one of them"
            ),
        ),
        (
            KEYS + "acceptance_criterion = 'primary_improvement'\n"
            "minibatch_acceptance_criterion = 'any_objective_improved'",
            (
                "11:1: gepa.minibatch_acceptance_criterion: says any_objective_improved where "
                "gepa.acceptance_criterion says strict_improvement; keep one of them"
            ),
        ),
    ],
)
def test_a_criterion_that_does_not_fit_is_refused(lines_of, text, line):
    assert lines_of(text) == ["gepa.toml:" + line]


@pytest.mark.parametrize(
    ("key", "value", "used", "unused"),
    [
        ("min_objective_delta", "0.1", ("primary_or_objective", "any_objective_improved"), "primary"),
        ("objective_regression_tolerance", "0.2", ("protected_objective_guard",), "any_objective_improved"),
        ("protected_objectives", "['speed']", ("protected_objective_guard",), "primary_or_objective"),
    ],
)
def test_a_number_that_the_criterion_does_not_look_at_is_said(parse, key, value, used, unused):
    def text(criterion):
        given = f"objective_acceptance = {{protected_objectives = ['cost'], {key} = {value}}}"
        if key == "protected_objectives":
            given = f"objective_acceptance.{key} = {value}"
        return f"{KEYS}{given}\n[acceptance]\ncriterion = '{criterion}'"

    path = f"gepa.objective_acceptance.{key}"
    (warning,) = [found for found in parse(text(unused)).warnings if found.path == path]
    assert warning.message == f"has no effect with criterion {unused}"
    assert warning.hint == f"it is for {', '.join(used)}"
    for criterion in used:
        assert path not in [found.path for found in parse(text(criterion)).warnings]


def test_what_a_broken_table_would_have_said_of_objectives_is_not_made_up(lines_of):
    found = lines_of("[gepa]\nworkers = 3\n[acceptance]\ncriterion = 'any_objective_improved'")
    assert [line.partition(";")[0] for line in found] == [
        "gepa.toml:9:1: gepa.workers: unknown key 'workers'"
    ]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("[gepa]\nkeep = 'top_k'\nkeep_k = 2", []),
        ("[gepa]\nkeep = 'best'\nkeep_k = 2", ["gepa.keep_k"]),
        ("[gepa]\nkeep_k = 1", ["gepa.keep_k"]),
        ("[merge]\nmax = 3\nrows = 4", ["merge.max", "merge.rows"]),
        ("[merge]\nevery = 1\nmax = 3", []),
    ],
)
def test_what_another_key_would_have_to_ask_for_is_said(parse, text, paths):
    warnings = parse(text).warnings
    assert [found.path for found in warnings] == paths
    assert all("has no effect with" in found.message and found.hint for found in warnings)
