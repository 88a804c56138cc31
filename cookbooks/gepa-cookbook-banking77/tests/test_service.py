from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gepa_cookbook_banking77.cards import parse_cards, seed_cards
from gepa_cookbook_banking77.data import Dataset, load_dataset
from gepa_cookbook_banking77.policies import PolicyError, Question, Verdict, ask_lexical

LEXICAL = {"provider": "lexical"}


def rollout(container: Any, cards: str, task: object, **more: object) -> Any:
    return container.rollout(task=task, candidate={"intent_cards": cards}, policy=LEXICAL, **more)


def test_the_contract_is_advertised(container: Any) -> None:
    status, metadata = container.ask("GET", "/metadata")
    contract = metadata["metadata"]["optimizer_contracts"]["gepa"]
    assert status == 200
    assert contract == {
        "version": "synth_optimizers.gepa.v2",
        "program_route": "/program",
        "taskset_route": "/taskset",
        "taskset_tasks_route": "/taskset/tasks",
        "rollout_route": "/rollouts",
    }


def test_the_task_info_says_which_data_is_served(container: Any, sample: Dataset) -> None:
    _, info = container.ask("GET", "/task_info")
    assert info["metadata"]["data"] == "banking77-sample"
    assert info["metadata"]["data_counts"] == {"train": 224, "test": 112}
    assert info["output_space"]["labels"] == list(sample.labels)


def test_the_program_has_one_component_and_a_seed_of_names(container: Any, sample: Dataset) -> None:
    _, program = container.ask("GET", "/program")
    assert program["version"] == "prompt_program.v1"
    assert [module["candidate_field"] for module in program["modules"] if module["mutable"]] == [
        "intent_cards"
    ]
    assert [target["candidate_field"] for target in program["target_modules"]] == ["intent_cards"]
    assert program["rollout_overlay_schema"] == {"candidate_fields": ["intent_cards"]}
    assert list(parse_cards(program["seed_candidate"]["intent_cards"])) == list(sample.labels)
    assert "- forgotten_pin: forgotten pin\n" in program["seed_candidate"]["intent_cards"]


def test_the_taskset_counts_its_splits(container: Any) -> None:
    _, taskset = container.ask("GET", "/taskset")
    assert taskset["taskset_id"] == "banking77-sample"
    assert taskset["splits"] == {"train": 224, "test": 112}


def test_rows_are_served_by_id_and_by_seed(container: Any) -> None:
    body = {"split": "test", "task_ids": ["test:1", "20000"], "filters": {}}
    status, answer = container.ask("POST", "/taskset/tasks", body)
    assert status == 200
    assert [task["task_id"] for task in answer["tasks"]] == ["test:1", "test:0"]
    assert set(answer["tasks"][0]) == {"task_id", "split", "seed", "query", "label"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"split": "test", "task_ids": ["test:112"]}, "no task 'test:112'"),
        ({"split": "dev", "task_ids": ["1"]}, "no split 'dev'"),
        ({"split": "test", "task_ids": ["test:1"], "filters": {"label": "x"}}, "no filters"),
    ],
)
def test_rows_that_are_not_there_are_refused(container: Any, body: object, said: str) -> None:
    status, answer = container.ask("POST", "/taskset/tasks", body)
    assert status == 422
    assert said in answer["detail"]["message"]


def test_a_right_answer_scores_one(container: Any, sample: Dataset) -> None:
    row = sample.splits["test"][0]
    answer = rollout(container, f"- {row.label}: {row.query}", {"task_id": "test:0", "split": "test"})
    assert (answer["rollout_id"], answer["status"]) == ("r1", "completed")
    assert answer["reward_info"]["outcome_reward"] == 1.0
    assert answer["objective_scores"] == [{"objective": "accuracy", "value": 1.0, "source": "container"}]
    assert answer["summary"]["output"] == row.label
    assert answer["usage"]["cost_usd"] == 0.0
    assert answer["usage"]["total_tokens"] == 0


def test_a_wrong_answer_tells_what_can_be_learnt(container: Any, sample: Dataset) -> None:
    row = sample.splits["train"][3]
    wrong, other = two_others(sample, row)
    cards = f"- {wrong}: {row.query}\n- {other}: {row.query.split()[0]}\n- {row.label}: nothing of it"
    answer = rollout(container, cards, {"task_id": "train:3"})
    side = answer["actionable_side_info"]
    assert answer["reward_info"]["outcome_reward"] == 0.0
    assert side["query"] == row.query
    assert (side["answered"], side["expected"]) == (wrong, row.label)
    assert side["runner_up"] in side["scores"]
    assert row.label in side["scores"]
    assert side["feedback"] == f"wrong: answered {wrong}, expected {row.label}"


def two_others(sample: Dataset, row: Any) -> tuple[str, str]:
    one, other, *_ = (label for label in sample.labels if label != row.label)
    return one, other


def test_a_text_without_cards_scores_zero_and_says_why(container: Any) -> None:
    answer = rollout(container, "be nice", {"task_id": "train:3"})
    assert answer["reward_info"]["outcome_reward"] == 0.0
    assert "no card of a known intent" in answer["actionable_side_info"]["feedback"]


def test_the_label_that_counts_is_the_containers_own(container: Any, sample: Dataset) -> None:
    row = sample.splits["train"][3]
    wrong, _ = two_others(sample, row)
    task = {"task_id": "train:3", "label": wrong, "query": "something else"}
    answer = rollout(container, f"- {wrong}: {row.query}", task)
    assert answer["reward_info"]["outcome_reward"] == 0.0
    assert answer["actionable_side_info"]["query"] == row.query


def test_the_overlay_and_the_older_name_of_the_row_are_understood(container: Any, sample: Dataset) -> None:
    row = sample.splits["train"][3]
    overlay = {"candidate": {"intent_cards": f"- {row.label}: {row.query}"}, "metadata": {}}
    answer = container.rollout(dataset_row={"task_id": "train:3"}, candidate_overlay=overlay)
    assert answer["reward_info"]["outcome_reward"] == 1.0


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"policy": {"provider": "oracle"}}, "policy_provider_unknown", "'oracle' is unknown here.*lexical"),
        ({"policy": {"provider": ["x"]}}, "policy_provider_unknown", "is unknown here"),
        ({"task": {"task_id": "train:999"}}, "task_unknown", "no task 'train:999'"),
        ({"task": {}}, "task_missing", "no task with a task_id"),
        ({"candidate": {"prompt": "x"}}, "candidate_missing", "no text 'intent_cards'; it has prompt"),
        ({"candidate": {}}, "candidate_missing", "it has nothing"),
    ],
)
def test_what_cannot_be_run_is_a_failed_rollout(
    container: Any, fields: dict[str, object], code: str, said: str
) -> None:
    good = {"task": {"task_id": "train:3"}, "candidate": {"intent_cards": "- a: b"}, "policy": LEXICAL}
    answer = container.rollout(**{**good, **fields})
    assert answer["status"] == "failed"
    assert "reward_info" not in answer
    assert answer["error"]["code"] == answer["metadata"]["error_code"] == code
    assert answer["error"]["retryable"] is answer["metadata"]["retryable"] is False
    assert re.search(said, answer["status_detail"])


def test_a_policy_that_fails_for_now_is_marked_retryable(serve: Callable[..., Any], sample: Dataset) -> None:
    async def fake_policy(_: Question) -> Verdict:
        raise PolicyError("policy_status", "slow down", retryable=True, http_status=429, retry_after=2.0)

    with serve(sample, {"fake": fake_policy}) as served:
        answer = served.rollout(
            task={"task_id": "train:3"}, candidate={"intent_cards": "- a: b"}, policy={"provider": "fake"}
        )
    assert answer["status"] == "failed"
    assert answer["error"] == {
        "code": "policy_status",
        "message": "slow down",
        "retryable": True,
        "http_status": 429,
        "retry_after": 2.0,
    }


def test_a_rollout_can_be_asked_for_later(container: Any, sample: Dataset) -> None:
    row = sample.splits["train"][3]
    body = {
        "rollout_id": "later",
        "submission_mode": "async",
        "task": {"task_id": "train:3"},
        "candidate": {"intent_cards": f"- {row.label}: {row.query}"},
    }
    _, begun = container.ask("POST", "/rollouts", body)
    assert begun["status"] == "running"
    for _ in range(200):
        _, done = container.ask("GET", "/rollouts/later")
        if done["status"] != "running":
            break
    assert (done["status"], done["reward_info"]["outcome_reward"]) == ("completed", 1.0)


def test_many_at_once_get_what_one_alone_gets(container: Any, sample: Dataset) -> None:
    cards = seed_cards(sample.labels)
    ids = [f"train:{index}" for index in range(48)]

    def score(task_id: str) -> Any:
        answer = rollout(container, cards, {"task_id": task_id})
        return answer["actionable_side_info"]

    alone = [score(task_id) for task_id in ids]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(score, ids)) == alone


def test_the_real_data_is_served(serve: Callable[..., Any], real_dir: Any) -> None:
    with serve(load_dataset(real_dir), {"lexical": ask_lexical}) as served:
        _, taskset = served.ask("GET", "/taskset")
        _, program = served.ask("GET", "/program")
        answer = rollout(served, program["seed_candidate"]["intent_cards"], {"task_id": "test:7"})
    assert taskset["splits"] == {"train": 10_003, "test": 3_080}
    assert len(parse_cards(program["seed_candidate"]["intent_cards"])) == 77
    assert answer["status"] == "completed"
