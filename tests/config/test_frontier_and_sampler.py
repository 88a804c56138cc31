from __future__ import annotations

import pytest

KEYS = "[gepa]\nobjective_keys = ['speed', 'cost']\n"


@pytest.mark.parametrize(
    ("text", "frontier"),
    [
        ("", "instance"),
        ("[gepa]\nfrontier_type = 'per_example'", "instance"),
        (KEYS + "frontier_type = 'per_objective'", "objective"),
        (KEYS + "frontier_type = 'per_example_objective'", "cartesian"),
        (KEYS + "[selection]\nfrontier = 'objective'", "objective"),
        (KEYS + "[selection]\nfrontier = 'hybrid'", "hybrid"),
        (KEYS + "[selection]\nfrontier = 'cartesian'", "cartesian"),
        (KEYS + "frontier_type = 'per_objective'\n[selection]\nfrontier = 'objective'", "objective"),
    ],
)
def test_the_frontier_has_two_spellings(parse, text, frontier):
    config = parse(text).config
    assert config.selection.frontier == frontier
    assert config.gepa.frontier_type is None


@pytest.mark.parametrize(
    ("text", "directions"),
    [
        ("", []),
        (KEYS, [("speed", "maximize"), ("cost", "maximize")]),
        (
            KEYS + "objective_directions = {cost = 'lower_is_better', speed = 'higher_is_better'}",
            [("speed", "maximize"), ("cost", "minimize")],
        ),
        (
            KEYS + "objective_directions.cost = 'minimize'",
            [("speed", "maximize"), ("cost", "minimize")],
        ),
    ],
)
def test_every_objective_gets_a_direction_in_the_order_of_the_keys(parse, text, directions):
    assert list(parse(text).config.gepa.objective_directions.items()) == directions


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            KEYS + "frontier_type = 'per_example'\n[selection]\nfrontier = 'hybrid'",
            "12:1: selection.frontier: says hybrid where gepa.frontier_type says instance; keep one of them",
        ),
        (
            "[selection]\nfrontier = 'hybrid'",
            '9:1: selection.frontier: "hybrid" needs objectives; name them: gepa.objective_keys = ["…"]',
        ),
        (
            "[gepa]\nfrontier_type = 'per_objective'",
            '9:1: gepa.frontier_type: "objective" needs objectives; name them: gepa.objective_keys = ["…"]',
        ),
        (
            KEYS + "objective_directions.sped = 'maximize'",
            (
                "10:22: gepa.objective_directions.sped: is not one of gepa.objective_keys; "
                "did you mean 'speed'?"
            ),
        ),
        (
            "[gepa]\nobjective_directions.speed = 'maximize'",
            (
                "9:22: gepa.objective_directions.speed: is not one of gepa.objective_keys; "
                "name it in gepa.objective_keys too"
            ),
        ),
        (
            "[gepa]\nbatch_sampler = 'stratifed'",
            (
                '9:1: gepa.batch_sampler: "stratifed" is not one of seeded_shuffle, epoch_shuffled, '
                "ordered_epoch, sequential_epoch, stratified, stratified_by_field, failure_weighted; "
                "did you mean 'stratified'?"
            ),
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(lines_of, text, line):
    assert lines_of(text) == ["gepa.toml:" + line]


def test_an_override_is_named_where_it_asks_for_objectives(lines_of):
    assert lines_of(sets=["selection.frontier=cartesian"]) == [
        (
            '--set selection.frontier: selection.frontier: "cartesian" needs objectives; '
            'name them: gepa.objective_keys = ["…"]'
        )
    ]


def test_objectives_without_a_frontier_that_knows_them_are_said(parse):
    text = KEYS + "objective_directions.cost = 'minimize'\n"
    message = "has no effect with frontier instance and criterion primary"
    assert [(found.path, found.message) for found in parse(text).warnings] == [
        ("gepa.objective_keys", message),
        ("gepa.objective_directions", message),
    ]
    assert parse(text + "[selection]\nfrontier = 'cartesian'").warnings == ()
    assert parse(text + "[acceptance]\ncriterion = 'any_objective_improved'").warnings == ()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("epoch_shuffled", "epoch_shuffled"),
        ("seeded_shuffle", "epoch_shuffled"),
        ("ordered_epoch", "ordered_epoch"),
        ("sequential_epoch", "ordered_epoch"),
        ("stratified", "stratified"),
        ("stratified_by_field", "stratified"),
        ("failure_weighted", "failure_weighted"),
    ],
)
@pytest.mark.parametrize("spelling", ["batch_sampler = '{}'", "batch_sampler = {{name = '{}'}}"])
def test_samplers_go_by_their_current_name(parse, spelling, written, name):
    loaded = parse("[gepa]\n" + spelling.format(written))
    assert loaded.config.gepa.batch_sampler.name == name
    noted = [] if written == name else [f'"{written}" is called "{name}" here']
    assert [warning.message for warning in loaded.warnings] == noted


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("name = 'stratified'\nfield = 'level'", []),
        ("name = 'stratified_by_field'\nfield = 'level'", ["gepa.batch_sampler.name"]),
        ("name = 'failure_weighted'\nfloor = 0.5", []),
        ("field = 'level'", ["gepa.batch_sampler.field"]),
        ("name = 'stratified'\nfloor = 0.5", ["gepa.batch_sampler.floor"]),
        ("name = 'failure_weighted'\nfield = 'level'", ["gepa.batch_sampler.field"]),
        ("name = 'ordered_epoch'\nepoch_width = 5", ["gepa.batch_sampler.epoch_width"]),
    ],
)
def test_what_a_sampler_does_not_look_at_is_said(parse, text, warned):
    assert [warning.path for warning in parse("[gepa.batch_sampler]\n" + text).warnings] == warned


def test_a_warning_names_the_sampler_that_is_meant(parse):
    (warning,) = parse("[gepa.batch_sampler]\nfloor = 0.5").warnings
    assert str(warning) == (
        "gepa.toml:9:1: gepa.batch_sampler.floor: has no effect with sampler epoch_shuffled; "
        "it is for failure_weighted"
    )
