from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("", "pareto"),
        ("[selection]\nstrategy = 'current_best'", "current_best"),
        ("[gepa]\ncandidate_selector = 'current_best'", "current_best"),
        ("[gepa.candidate_selector]\nname = 'current_best'", "current_best"),
        ("[gepa]\ncandidate_selector = 'pareto_weighted'", "pareto"),
        ("[gepa]\ncandidate_selector = 'pareto_weighted'\n[selection]\nstrategy = 'pareto'", "pareto"),
    ],
)
def test_selection_has_two_spellings(parse, text, strategy):
    assert parse(text).config.selection.strategy == strategy
    assert parse(text).config.gepa.candidate_selector is None


@pytest.mark.parametrize(
    ("text", "rule", "margin"),
    [
        ("", "strict_improvement", 0.0),
        ("[acceptance]\nrule = 'improvement_or_equal'\nmargin = 0.25", "improvement_or_equal", 0.25),
        ("[gepa]\nacceptance_criterion = 'improvement_or_equal'", "improvement_or_equal", 0.0),
        ("[gepa]\nminibatch_acceptance_criterion = 'improvement_or_equal'", "improvement_or_equal", 0.0),
        (
            "[gepa]\nacceptance_criterion = 'primary_improvement'\nminibatch_accept_margin = 1",
            "strict_improvement",
            1.0,
        ),
        ("[gepa]\nminibatch_accept_margin = 0.5\n[acceptance]\nmargin = 0.5", "strict_improvement", 0.5),
    ],
)
def test_acceptance_has_two_spellings(parse, text, rule, margin):
    config = parse(text).config
    assert (config.acceptance.rule, config.acceptance.margin) == (rule, margin)
    assert config.gepa.minibatch_accept_margin == margin
    assert (config.gepa.acceptance_criterion, config.gepa.minibatch_acceptance_criterion) == (None, None)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[gepa]\ncandidate_selector = 'current_best'\n[selection]\nstrategy = 'pareto'",
            (
                "11:1: selection.strategy: says pareto where gepa.candidate_selector says "
                "current_best; keep one of them"
            ),
        ),
        (
            (
                "[gepa]\nacceptance_criterion = 'primary_improvement'\n[acceptance]\nrule = "
                "'improvement_or_equal'"
            ),
            (
                "11:1: acceptance.rule: says improvement_or_equal where gepa.acceptance_criterion says "
                "strict_improvement; keep one of them"
            ),
        ),
        (
            (
                "[gepa]\nacceptance_criterion = 'primary_improvement'\n"
                "minibatch_acceptance_criterion = 'improvement_or_equal'"
            ),
            (
                "10:1: gepa.minibatch_acceptance_criterion: says improvement_or_equal where "
                "gepa.acceptance_criterion "
                "says strict_improvement; keep one of them"
            ),
        ),
        (
            "[gepa]\nminibatch_accept_margin = 0.0\n[acceptance]\nmargin = 0.5",
            "11:1: acceptance.margin: says 0.5 where gepa.minibatch_accept_margin says 0.0; keep one of them",
        ),
        (
            "[selection]\nstrategy = 'top_k_pareto'",
            (
                '9:1: selection.strategy: "top_k_pareto" is not available yet; available are '
                "pareto, current_best"
            ),
        ),
        (
            "[selection]\nstrategy = 'paretto'",
            (
                '9:1: selection.strategy: "paretto" is not one of pareto, current_best, pareto_unpruned, '
                "epsilon_greedy, top_k_pareto, batch_lexicase; did you mean 'pareto'?"
            ),
        ),
        (
            "[gepa]\ncandidate_selector = 'random'",
            '9:1: gepa.candidate_selector: "random" is not available yet; available are pareto, current_best',
        ),
        (
            "[gepa.candidate_selector]\nname = 'epsilon_greedy'",
            (
                '9:1: gepa.candidate_selector.name: "epsilon_greedy" is not available yet; '
                "available are pareto, current_best"
            ),
        ),
        (
            "[gepa]\nacceptance_criterion = 'any_objective_improved'",
            (
                '9:1: gepa.acceptance_criterion: "any_objective_improved" is not available yet; '
                "available are strict_improvement, improvement_or_equal"
            ),
        ),
        (
            "[gepa]\ncandidate_selector = 3",
            "9:1: gepa.candidate_selector: expected a name or a table, got the integer 3",
        ),
        ("[gepa]\ncandidate_selector = {k = 0}", "9:23: gepa.candidate_selector.k: must be > 0: 0"),
    ],
)
def test_what_is_contradictory_or_not_there_is_refused(lines_of, text, line):
    assert lines_of(text) == ["gepa.toml:" + line]


def test_a_name_that_is_not_known_is_refused_where_it_stands(lines_of):
    (line,) = lines_of("[gepa]\ncandidate_selector = 'curent_best'\n")
    assert line.startswith('gepa.toml:9:1: gepa.candidate_selector: "curent_best" is not one of pareto,')
    assert line.endswith("; did you mean 'current_best'?")


def test_an_older_name_is_noted(parse):
    loaded = parse(
        "[gepa]\ncandidate_selector = 'pareto_weighted'\nacceptance_criterion = 'primary_improvement'"
    )
    assert [str(warning) for warning in loaded.warnings] == [
        (
            'gepa.toml:9:1: gepa.candidate_selector: "pareto_weighted" is called "pareto" '
            "here; both are accepted"
        ),
        (
            'gepa.toml:10:1: gepa.acceptance_criterion: "primary_improvement" is called '
            '"strict_improvement" here; '
            "both are accepted"
        ),
    ]
