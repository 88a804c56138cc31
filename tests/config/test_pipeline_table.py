from __future__ import annotations

import pytest

ASYNC = "[gepa.pipeline]\nmode = 'async_pipelined'\n"
SPECULATIVE = ASYNC + "speculative_completion.enabled = true\n"
CURE = 'write mode = "async_pipelined"'


def warned(parse, text):
    return [(found.path.removeprefix("gepa."), found.message) for found in parse(text).warnings]


@pytest.mark.parametrize("mode", ["sync_serial", "async_pipelined"])
def test_a_mode_is_taken_in_silence(parse, mode):
    loaded = parse(f"[gepa.pipeline]\nmode = '{mode}'")
    assert loaded.config.gepa.pipeline.mode == mode
    assert loaded.warnings == ()


def test_an_older_name_of_the_mode_is_noted(parse):
    loaded = parse("[gepa.pipeline]\nmode = 'flash_evolve'\nstaleness_policy = 'guarded'")
    assert loaded.config.gepa.pipeline.mode == "async_pipelined"
    assert loaded.resolved["gepa"]["pipeline"]["mode"] == "async_pipelined"
    (warning,) = loaded.warnings
    assert str(warning) == (
        'gepa.toml:9:1: gepa.pipeline.mode: "flash_evolve" is called "async_pipelined" here; '
        "both are accepted"
    )


@pytest.mark.parametrize(
    ("pipeline", "cache", "warned"),
    [
        (ASYNC, "readonly", True),
        ("[gepa.pipeline]\nmode = 'flash_evolve'\n", "readonly", True),
        (ASYNC, "readwrite", False),
        (ASYNC, "off", False),
        ("", "readonly", False),
    ],
)
def test_a_cache_that_asks_nothing_new_may_miss_what_comes_in_another_order(parse, pipeline, cache, warned):
    found = [each for each in parse(pipeline + f"[cache]\nmode = '{cache}'").warnings if "cache" in each.path]
    assert [(each.path, each.line is not None) for each in found] == [("cache.mode", True)] * warned
    for each in found:
        assert "may miss with gepa.pipeline.mode async_pipelined: requests to the proposer" in each.message
        assert "gepa verify and gepa resume replay any run" in each.hint


@pytest.mark.parametrize("policy", ["guarded", "reflective"])
def test_what_is_overtaken_needs_something_that_overtakes(parse, lines_of, policy):
    text = f"staleness_policy = '{policy}'\ndelta_max = 3"
    assert lines_of("[gepa.pipeline]\n" + text) == [
        (
            f'gepa.toml:9:1: gepa.pipeline.staleness_policy: "{policy}" needs mode = "async_pipelined"; '
            f'{CURE}, or staleness_policy = "full": one after the other, no proposal is overtaken'
        )
    ]
    loaded = parse(ASYNC + text)
    assert (loaded.config.gepa.pipeline.staleness_policy, loaded.warnings) == (policy, ())


def test_speculation_needs_the_pipeline(lines_of):
    assert lines_of("[gepa]\nperfect_score = 1\npipeline.speculative_completion = {enabled = true}") == [
        (
            "gepa.toml:10:36: gepa.pipeline.speculative_completion.enabled: "
            f'needs mode = "async_pipelined"; {CURE}'
        )
    ]


def test_speculation_that_can_foretell_is_taken_in_silence(parse):
    for criterion in ("primary", "protected_objective_guard"):
        text = (
            f"[acceptance]\nrule = 'improvement_or_equal'\ncriterion = '{criterion}'\n"
            "[gepa]\nperfect_score = 1.0\nobjective_keys = ['a']\n"
            "objective_acceptance.protected_objectives = ['a']\n"
        )
        assert parse(SPECULATIVE + text).config.gepa.pipeline.speculative_completion.enabled
        assert not [found for found in parse(SPECULATIVE + text).warnings if "speculative" in found.path]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "",
            "has no effect without gepa.perfect_score",
            "declare the highest reward that there is: gepa.perfect_score = 1.0",
        ),
        (
            "[acceptance]\nrule = 'paired'\n[gepa]\nperfect_score = 1.0",
            "has no effect with rule paired",
            "a refusal can be foretold with strict_improvement, improvement_or_equal",
        ),
        (
            (
                "[acceptance]\ncriterion = 'any_objective_improved'\n"
                "[gepa]\nperfect_score = 1.0\nobjective_keys = ['a']"
            ),
            "has no effect with criterion any_objective_improved",
            "a refusal can be foretold with primary, protected_objective_guard",
        ),
    ],
)
def test_speculation_that_cannot_foretell_anything_says_why(parse, text, message, hint):
    (warning,) = parse(SPECULATIVE + text).warnings
    assert warning.path == "gepa.pipeline.speculative_completion.enabled"
    assert (warning.message, warning.hint, warning.line) == (message, hint, 10)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("max_in_flight_candidates = 3", "pipeline.max_in_flight_candidates"),
        ("workers.evaluate = 2", "pipeline.workers.evaluate"),
    ],
)
def test_what_only_the_pipeline_looks_at_is_said(parse, text, path):
    message = "has no effect with mode sync_serial"
    assert warned(parse, "[gepa.pipeline]\n" + text) == [(path, message)]
    assert warned(parse, ASYNC + text) == []


def test_defaults_that_are_written_out_are_taken_in_silence(parse):
    text = "[gepa.pipeline]\nmax_in_flight_candidates = 8\nworkers = {propose = 1, evaluate = 1}"
    assert parse(text).warnings == ()


def test_how_much_may_be_overtaken_is_for_those_who_ask(parse):
    message = "has no effect with staleness_policy full"
    assert warned(parse, ASYNC + "delta_max = 2") == [("pipeline.delta_max", message)]


def test_what_a_broken_table_would_have_said_of_the_pipeline_is_not_made_up(lines_of):
    found = lines_of("[gepa]\nworkers = 3\npipeline.staleness_policy = 'guarded'")
    assert [line.partition(";")[0] for line in found] == [
        "gepa.toml:9:1: gepa.workers: unknown key 'workers'"
    ]
