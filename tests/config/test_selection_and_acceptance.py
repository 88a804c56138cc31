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
        ("[gepa]\ncandidate_selector = 'epsilon_greedy'", "epsilon_greedy"),
        ("[gepa]\ncandidate_selector = 'top_k_pareto'", "top_k_pareto"),
        ("[selection]\nstrategy = 'pareto_unpruned'", "pareto_unpruned"),
        ("[selection]\nstrategy = 'epsilon_greedy'", "epsilon_greedy"),
        ("[selection]\nstrategy = 'top_k_pareto'", "top_k_pareto"),
        ("[selection]\nstrategy = 'batch_lexicase'", "batch_lexicase"),
    ],
)
def test_selection_has_two_spellings(parse, text, strategy):
    config = parse(text).config
    assert config.selection.strategy == strategy
    assert config.gepa.candidate_selector is None


@pytest.mark.parametrize(
    ("text", "k"),
    [
        ("", 5),
        ("[selection]\nstrategy = 'top_k_pareto'", 5),
        ("[selection]\nstrategy = 'top_k_pareto'\nk = 7", 7),
        ("[gepa]\ncandidate_selector = 'top_k_pareto'", 3),
        ("[gepa]\ncandidate_selector = {name = 'top_k_pareto', k = 4}", 4),
        ("[gepa]\ncandidate_selector = 'top_k_pareto'\n[selection]\nk = 7", 7),
        ("[gepa]\ncandidate_selector = {name = 'top_k_pareto', k = 7}\n[selection]\nk = 7", 7),
        ("[gepa]\ncandidate_selector = 'pareto'", 5),
    ],
)
def test_k_has_two_spellings_and_two_defaults(parse, text, k):
    assert parse(text).config.selection.k == k


@pytest.mark.parametrize(
    ("text", "epsilon"),
    [
        ("[gepa]\ncandidate_selector = 'epsilon_greedy'", 0.1),
        ("[gepa]\ncandidate_selector = {name = 'epsilon_greedy', epsilon = 0.3}", 0.3),
        ("[selection]\nstrategy = 'epsilon_greedy'\nepsilon = 0.4", 0.4),
    ],
)
def test_epsilon_has_two_spellings(parse, text, epsilon):
    assert parse(text).config.selection.epsilon == epsilon


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
        ("[acceptance]\nrule = 'paired'", "paired", 0.0),
        ("[gepa]\nminibatch_accept_margin = 0.5\n[acceptance]\nrule = 'sequential'", "sequential", 0.5),
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
            "[gepa]\ncandidate_selector = {name = 'top_k_pareto', k = 4}\n[selection]\nk = 5",
            "11:1: selection.k: says 5 where gepa.candidate_selector.k says 4; keep one of them",
        ),
        (
            (
                "[gepa]\ncandidate_selector = {name = 'epsilon_greedy', epsilon = 0.2}\n"
                "[selection]\nepsilon = 0.1"
            ),
            (
                "11:1: selection.epsilon: says 0.1 where gepa.candidate_selector.epsilon says 0.2; "
                "keep one of them"
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
            (
                '9:1: gepa.candidate_selector: "random" is not available yet; '
                "available are pareto, current_best, top_k_pareto, epsilon_greedy"
            ),
        ),
        (
            "[gepa.candidate_selector]\nname = 'uniform_pareto'",
            (
                '9:1: gepa.candidate_selector.name: "uniform_pareto" is not available yet; '
                "available are pareto, current_best, top_k_pareto, epsilon_greedy"
            ),
        ),
        (
            "[gepa]\ncandidate_selector = 3",
            "9:1: gepa.candidate_selector: expected a name or a table, got the integer 3",
        ),
        ("[gepa]\ncandidate_selector = {k = 0}", "9:23: gepa.candidate_selector.k: must be > 0: 0"),
        (
            "[acceptance]\nrule = 'sequential'\nmax_rows = 7",
            "10:1: acceptance.max_rows: must be >= gepa.minibatch_size (8): 7",
        ),
        (
            "[gepa]\nminibatch_size = 97\n[acceptance]\nrule = 'sequential'",
            "10:2: acceptance.max_rows: must be >= gepa.minibatch_size (97): 96",
        ),
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


def test_as_many_rows_as_a_minibatch_has_are_enough(lines_of):
    assert lines_of("[acceptance]\nrule = 'sequential'\nmax_rows = 8") == []
    assert lines_of("[acceptance]\nmax_rows = 7") == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "[gepa]\nminibatch_size = 4\nworkers = 3\n[acceptance]\nrule = 'sequential'\nmax_rows = 5",
            ["10:1: gepa.workers: unknown key 'workers'"],
        ),
        (
            "[gepa]\ncandidate_selector = 'current_best'\n[selection]\nstrategy = 'current_best'\nk = 0",
            ["12:1: selection.k: must be > 0: 0"],
        ),
        (
            "[gepa]\nobjective_keys = ['a']\nworkers = 3\n[selection]\nfrontier = 'hybrid'",
            ["10:1: gepa.workers: unknown key 'workers'"],
        ),
    ],
)
def test_what_a_broken_table_would_have_said_is_not_made_up(lines_of, text, lines):
    found = lines_of(text)
    assert [line.removeprefix("gepa.toml:").partition(";")[0] for line in found] == lines


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("[selection]\nk = 5", "selection.k", "strategy pareto; it is for top_k_pareto"),
        ("[selection]\nepsilon = 0.2", "selection.epsilon", "strategy pareto; it is for epsilon_greedy"),
        ("[selection]\nbatch = 3", "selection.batch", "strategy pareto; it is for batch_lexicase"),
        (
            "[selection]\nstrategy = 'current_best'\nbest_floor = 0.1",
            "selection.best_floor",
            "strategy current_best; it is for pareto, pareto_unpruned, top_k_pareto",
        ),
        (
            "[gepa]\ncandidate_selector = {name = 'current_best', epsilon = 0.1}",
            "gepa.candidate_selector.epsilon",
            "strategy current_best; it is for epsilon_greedy",
        ),
        (
            "[acceptance]\nconfidence = 0.9",
            "acceptance.confidence",
            "rule strict_improvement; it is for paired, sequential",
        ),
        (
            "[acceptance]\nrule = 'paired'\npower = 0.5",
            "acceptance.power",
            "rule paired; it is for sequential",
        ),
        (
            "[acceptance]\nrule = 'paired'\nwin_rate = 0.6",
            "acceptance.win_rate",
            "rule paired; it is for sequential",
        ),
        (
            "[acceptance]\nrule = 'paired'\nmax_rows = 60",
            "acceptance.max_rows",
            "rule paired; it is for sequential",
        ),
    ],
)
def test_what_a_rule_does_not_look_at_is_said(parse, text, place, message):
    (warning,) = parse(text).warnings
    assert (warning.path, f"{warning.message}; {warning.hint}") == (place, f"has no effect with {message}")
    assert warning.line > 8


@pytest.mark.parametrize(
    "text",
    [
        "[selection]\nstrategy = 'pareto'\nbest_floor = 0.1",
        "[selection]\nstrategy = 'pareto_unpruned'\nbest_floor = 0.1",
        "[selection]\nstrategy = 'top_k_pareto'\nk = 2\nbest_floor = 0.1",
        "[selection]\nstrategy = 'epsilon_greedy'\nepsilon = 0.2",
        "[selection]\nstrategy = 'batch_lexicase'\nbatch = 2",
        "[gepa]\ncandidate_selector = {name = 'top_k_pareto', k = 2}",
        "[acceptance]\nrule = 'paired'\nconfidence = 0.9\nmargin = 0.1",
        "[acceptance]\nrule = 'sequential'\nconfidence = 0.9\npower = 0.5\nwin_rate = 0.6\nmax_rows = 50",
    ],
)
def test_what_a_rule_looks_at_is_taken_in_silence(parse, text):
    assert parse(text).warnings == ()


def test_the_numbers_of_the_rules_are_read(parse):
    config = parse(
        "[selection]\nstrategy = 'pareto'\nbest_floor = 0.2\n"
        "[acceptance]\nrule = 'sequential'\nconfidence = 0.9\npower = 0.5\nwin_rate = 0.6\nmax_rows = 50"
    ).config
    assert config.selection.best_floor == 0.2
    acceptance = config.acceptance
    assert (acceptance.confidence, acceptance.power) == (0.9, 0.5)
    assert (acceptance.win_rate, acceptance.max_rows) == (0.6, 50)
