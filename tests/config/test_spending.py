from __future__ import annotations

import pytest

from gepa_framework.config import PriceTable, total_tokens

PRICE = """
[[prices]]
provider = "openai"
model = "small"
prompt_usd_per_million = 0.5
completion_usd_per_million = 2
"""


def estimates(what, **given):
    return "".join(f"{call}_estimated_{what} = {value}\n" for call, value in given.items())


@pytest.mark.parametrize(
    ("limit", "what", "rollout", "proposer"),
    [
        (
            "max_cost_usd",
            "cost_usd",
            (
                "write what one attempt at a rollout costs at the most, 0 for nothing: "
                "rollout_estimated_cost_usd = 0.01"
            ),
            "write what one proposal costs at the most, 0 for nothing: proposer_estimated_cost_usd = 0.01",
        ),
        (
            "max_prompt_tokens",
            "prompt_tokens",
            (
                "write what one attempt at a rollout reads at the most, 0 for nothing: "
                "rollout_estimated_prompt_tokens = 1000"
            ),
            (
                "write what one proposal reads at the most, 0 for nothing: "
                "proposer_estimated_prompt_tokens = 1000"
            ),
        ),
        (
            "max_completion_tokens",
            "completion_tokens",
            (
                "write what one attempt at a rollout writes at the most, 0 for nothing: "
                "rollout_estimated_completion_tokens = 1000"
            ),
            (
                "write what one proposal writes at the most, 0 for nothing: "
                "proposer_estimated_completion_tokens = 1000"
            ),
        ),
        (
            "max_total_tokens",
            "total_tokens",
            (
                "write what one attempt at a rollout reads and writes at the most, 0 for nothing: "
                "rollout_estimated_total_tokens = 1000"
            ),
            (
                "write what one proposal reads and writes at the most, 0 for nothing: "
                "proposer_estimated_total_tokens = 1000"
            ),
        ),
    ],
)
def test_a_limit_needs_the_estimates_of_both_calls(lines_of, limit, what, rollout, proposer):
    head = f"[gepa]\n{limit} = 50\n"
    said = f"gepa.toml:8:2: gepa.{{}}_estimated_{what}: is required with gepa.{limit}; "
    wanted = {"rollout": said.format("rollout") + rollout, "proposer": said.format("proposer") + proposer}
    assert sorted(lines_of(head)) == sorted(wanted.values())
    assert lines_of(head + estimates(what, rollout=1)) == [wanted["proposer"]]
    assert lines_of(head + estimates(what, proposer=0)) == [wanted["rollout"]]
    assert lines_of(head + estimates(what, rollout=0, proposer=2)) == []


def test_no_limit_needs_no_estimate(lines_of):
    assert lines_of("[gepa]\nmax_cost_usd = 0.0\nmax_time_seconds = 5\nmax_proposals = 3") == []


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("max_proposals = 1", 2),
        ("max_proposals = 2", None),
        ("max_proposals = 1\nproposal_repair_turns = 0", None),
        ("max_proposals = 11\nparents_per_generation = 3\nproposals_per_generation = 2", 12),
        ("max_proposals = 11\nminibatches_per_parent = 6", 12),
        ("max_proposals = 12\nminibatches_per_parent = 6", None),
    ],
)
def test_a_limit_under_which_no_iteration_can_begin_is_said(parse, text, most):
    said = f"no iteration can begin: one may ask for {most} proposals, repair turns included"
    found = [(one.path, one.message) for one in parse("[gepa]\n" + text).warnings]
    assert found == ([] if most is None else [("gepa.max_proposals", said)])


def test_tokens_by_sort_stand_for_their_sum(parse, lines_of):
    head = "[gepa]\nmax_total_tokens = 50\n" + estimates("prompt_tokens", rollout=3, proposer=4)
    assert len(lines_of(head)) == 2
    gepa = parse(head + estimates("completion_tokens", rollout=5, proposer=0)).config.gepa
    assert (total_tokens(gepa, "rollout"), total_tokens(gepa, "proposer")) == (8, 4)
    more = estimates("completion_tokens", rollout=5, proposer=0) + estimates("total_tokens", rollout=99)
    assert total_tokens(parse(head + more).config.gepa, "rollout") == 99


def test_prices_are_read_in_their_order(parse):
    more = '[[prices]]\nmodel = "m"\nprompt_usd_per_million = 0\ncompletion_usd_per_million = 0'
    config = parse(PRICE + more).config
    assert config.prices == (
        PriceTable("openai", model="small", prompt_usd_per_million=0.5, completion_usd_per_million=2.0),
        PriceTable("", model="m", prompt_usd_per_million=0.0, completion_usd_per_million=0.0),
    )


def test_no_prices_are_an_empty_table(parse):
    loaded = parse()
    assert (loaded.config.prices, loaded.resolved["prices"]) == ((), [])


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            PRICE + PRICE.replace("0.5", "0.6"),
            ['15:3: prices.1: "small" of "openai" has a price already: prices.0; keep one of them'],
        ),
        (
            2 * PRICE.replace('provider = "openai"\n', ""),
            ['14:3: prices.1: "small" has a price already: prices.0; keep one of them'],
        ),
        (PRICE + PRICE.replace("openai", "other"), []),
        (PRICE.replace("0.5", "-0.5"), ["12:1: prices.0.prompt_usd_per_million: must be >= 0: -0.5"]),
        (PRICE.replace("= 2", "= nan"), ["13:1: prices.0.completion_usd_per_million: must be finite: nan"]),
        (PRICE.replace('"small"', '""'), ["11:1: prices.0.model: must not be empty"]),
        (
            "[prices]\nmodel = 'x'",
            ["8:2: prices: expected an array of tables, got a table; write [[prices]]"],
        ),
        (
            PRICE.replace("model", "modle"),
            [
                "9:3: prices.0.model: is required",
                "11:1: prices.0.modle: unknown key 'modle'; did you mean 'model'?",
            ],
        ),
    ],
)
def test_a_price_is_refused_where_it_stands(lines_of, text, lines):
    assert lines_of(text) == ["gepa.toml:" + line for line in lines]


@pytest.mark.parametrize(
    ("text", "minibatch", "paths"),
    [
        ("pareto = [0]", None, []),
        ("reflection = [1, 2]", (1, 2), []),
        ("reflection = [1, 2]\nminibatch = [2]", (2,), ["gepa.task_pools.reflection"]),
    ],
)
def test_evidence_stays_within_the_reflection_pool(parse, text, minibatch, paths):
    loaded = parse("[gepa.task_pools]\n" + text)
    assert loaded.config.gepa.task_pools.minibatch == minibatch
    assert [found.path for found in loaded.warnings] == paths
    assert all(found.message == "has no further effect" and found.hint for found in loaded.warnings)
