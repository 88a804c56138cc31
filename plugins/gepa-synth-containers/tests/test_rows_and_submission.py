from __future__ import annotations

import pytest

from gepa_framework.errors import ContainerContractError
from gepa_framework.types import RowsRequest, digest
from gepa_synth_containers.contract import Contract
from gepa_synth_containers.outcome import read_outcome
from gepa_synth_containers.rows import plan_rows, read_rows
from gepa_synth_containers.submission import policy_body, rollout_body, without_fields


def contract(tasks=None, rows=None):
    return Contract("/program", ("/rollouts",), tasks, rows, can_poll=True)


BY_ID = contract(tasks="/tasks")
BY_SEED = contract(rows="/rows")
BOTH = contract(tasks="/tasks", rows="/rows")


@pytest.mark.parametrize(
    ("served", "request_", "route", "key", "value"),
    [
        (BY_ID, RowsRequest("s", ids=("a", "b")), "/tasks", "task_ids", ["a", "b"]),
        (BY_ID, RowsRequest("s", seeds=(1, 0)), "/tasks", "task_ids", ["1", "0"]),
        (BY_SEED, RowsRequest("s", seeds=(1, 0)), "/rows", "seeds", [1, 0]),
        (BY_SEED, RowsRequest("s", ids=("1", "-2")), "/rows", "seeds", [1, -2]),
        (BOTH, RowsRequest("s", ids=("a",)), "/tasks", "task_ids", ["a"]),
        (BOTH, RowsRequest("s", seeds=(1,)), "/rows", "seeds", [1]),
    ],
)
def test_rows_are_asked_for_by_the_route_that_is_served(served, request_, route, key, value):
    call = plan_rows(served, request_)
    assert call.route == route
    assert call.body == {"split": "s", key: value, "filters": {}}


@pytest.mark.parametrize("ids", [("a",), ("1", "b"), ("01",), ("1.0",), (" 1",), ("",)])
def test_ids_that_are_no_seeds_are_refused_where_only_seeds_are_served(ids):
    with pytest.raises(ContainerContractError, match="train_seeds"):
        plan_rows(BY_SEED, RowsRequest("s", ids=ids))


def read(served, request, rows):
    call = plan_rows(served, request)
    return [row.id for row in read_rows(call, request, {call.answer_key: rows})]


def test_a_row_is_called_what_it_was_asked_for_by_where_it_says_so_itself():
    request = RowsRequest("s", ids=("a", "b"))
    rows = [{"task_id": "shared", "id": "a", "seed": 9}, {"task_id": "shared", "id": "b", "seed": 8}]
    assert read(BY_ID, request, rows) == ["a", "b"]


def test_a_field_that_all_rows_share_is_no_identity():
    request = RowsRequest("s", ids=("0", "1"))
    rows = [{"task_id": "shared", "example_id": "x"}, {"task_id": "shared", "example_id": "y"}]
    assert read(BY_ID, request, rows) == ["x", "y"]
    seeds = RowsRequest("s", seeds=(0, 1))
    assert read(BY_SEED, seeds, [{"task_id": "t", "index": 4}, {"task_id": "t", "index": 5}]) == [
        "t:4",
        "t:5",
    ]


def test_a_row_without_a_usable_identity_is_refused():
    request = RowsRequest("s", ids=("0", "1"))
    with pytest.raises(ContainerContractError, match="row 0 has no identity"):
        read(BY_ID, request, [{"id": True}, {"id": None}])
    with pytest.raises(ContainerContractError, match="share no identity field"):
        read(BY_ID, request, [{"id": "x"}, {"seed": 3}])


def test_asking_for_a_row_twice_is_refused():
    with pytest.raises(ContainerContractError, match="twice"):
        read(BY_ID, RowsRequest("s", ids=("a", "a")), [{"id": "a"}, {"id": "a"}])


def test_filters_are_passed_on():
    request = RowsRequest("s", ids=("a",), filters={"difficulty": "hard"})
    assert plan_rows(BY_ID, request).body["filters"] == {"difficulty": "hard"}


def test_labels_are_left_out_at_any_depth():
    row = {"id": 1, "label": "x", "inner": {"gold": 1, "text": "t"}, "list": [{"label": 2, "a": 3}, "label"]}
    assert without_fields(row, {"label", "gold"}) == {
        "id": 1,
        "inner": {"text": "t"},
        "list": [{"a": 3}, "label"],
    }


def test_a_policy_that_is_off_or_empty_is_not_sent(ask):
    assert policy_body({}) is None
    assert policy_body({"enabled": False, "provider": "p"}) is None
    assert "policy" not in rollout_body(ask(), mode="sync", row_field="task")


@pytest.mark.parametrize(
    "policy",
    [
        {"api_key": "x"},
        {"API-KEY": "x"},
        {"my_api_key": "x"},
        {"config": {"password": "x"}},
        {"config": {"headers": [{"Authorization": "x"}]}},
        {"config": {"note": "sk-abcdefghijklmnop"}},
        {"base_url": "Bearer abcdefgh"},
    ],
)
def test_what_looks_like_a_credential_is_refused_wherever_it_is(policy):
    with pytest.raises(ContainerContractError, match="looks like a credential"):
        policy_body(policy)


@pytest.mark.parametrize("policy", [{"api_key_env": "K"}, {"max_tokens": 5}, {"stop_token": "x"}])
def test_what_only_sounds_like_one_is_sent(policy):
    assert policy_body({"provider": "p", **policy})


def test_the_seed_of_a_row_is_told(ask):
    row = ask().row
    request = ask(row=type(row)(row.id, row.split, row.data, seed=7))
    assert rollout_body(request, mode="sync", row_field="dataset_row")["metadata"]["seed"] == 7


@pytest.mark.parametrize(
    ("record", "reward"),
    [
        ({"reward_info": {"outcome_reward": 1, "score": 2}, "reward": 4}, 1),
        ({"reward_info": {"outcome_reward": None, "score": 2}, "summary": {"outcome_reward": 3}}, 2),
        ({"reward_info": {}, "summary": {"outcome_reward": 3}, "reward": 4}, 3),
        ({"reward": 4}, 4),
        ({"status": "Completed", "success_status": "failed", "reward": 0}, 0),
    ],
)
def test_the_reward_is_the_first_number_in_the_order_of_the_contract(record, reward):
    assert read_outcome(record).reward == reward


@pytest.mark.parametrize(
    ("record", "output"),
    [
        ({"output": 1, "summary": {"prediction": 2}}, 1),
        ({"summary": {"prediction": 2, "note": "n"}}, 2),
        ({"reward_info": {"details": {"predicted_label": "c"}}}, "c"),
        ({"summary": {"outcome_reward": 1.0, "steps": 5}}, {"steps": 5}),
        ({"summary": {"outcome_reward": 1.0}}, None),
    ],
)
def test_the_output_is_what_the_container_names_so(record, output):
    assert read_outcome({"reward": 1, **record}).output == output


def test_metrics_are_the_reward_terms_that_are_numbers():
    record = {"reward": 1, "reward_info": {"metrics": {"a": 1, "b": "high", "c": True, "d": 0.5}}}
    assert read_outcome(record).metrics == {"a": 1.0, "d": 0.5}


def test_usage_that_is_not_told_is_unknown_and_not_zero():
    assert read_outcome({"reward": 1, "usage": {}}).usage.cost_usd is None
    assert read_outcome({"reward": 1, "usage": {"input_tokens": 4.0}}).usage.prompt_tokens == 4


@pytest.mark.parametrize(
    ("side", "told"),
    [
        ({"expected": "x", "rationales": 1}, {"expected": "x", "rationales": 1}),
        (["a"], {"actionable_side_info": ["a"]}),
        ("shorter", {"actionable_side_info": "shorter"}),
        ({}, {}),
        (None, {}),
    ],
)
def test_side_information_of_any_shape_reaches_the_proposer(side, told):
    outcome = read_outcome({"reward": 1, "actionable_side_info": side})
    assert (outcome.side_info, outcome.feedback) == (told, {})


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"trace": {"a": 1}, "trace_digest": "0" * 64}, digest({"a": 1})),
        ({"trace_digest": "0" * 64}, "0" * 64),
        ({"trace_digest": "see the log"}, ""),
        ({"trace_digest": 7, "trace": {}}, ""),
    ],
)
def test_the_digest_of_a_trace_is_computed_or_taken_as_given(record, told):
    assert read_outcome({"reward": 1, **record}).trace_digest == told


@pytest.mark.parametrize("status", ["error", "cancelled", "timed_out"])
def test_a_failure_word_without_a_code_makes_one(status):
    failure = read_outcome({"status": status})
    assert (failure.code, failure.retryable) == (f"rollout_{status}", False)
    assert "no detail given" in failure.message
