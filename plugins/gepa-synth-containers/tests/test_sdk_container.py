"""A container made with the plain SDK class works as it is."""

from __future__ import annotations

import asyncio

import pytest
from synth_containers.http_models import RolloutRequestModel

from gepa_framework.types import RolloutFailure, RolloutResult, RowsRequest, digest


def run(serve, make, app, scenario, **config):
    url = serve(app)

    async def connected():
        async with make(url=url, **config) as transport:
            return await scenario(transport)

    return asyncio.run(connected())


@pytest.fixture
def container(toy):
    return toy.build()


def test_it_is_described_by_name_contract_and_task(serve, make, container):
    info = run(serve, make, container.fastapi(), lambda transport: transport.describe())
    assert info.name == "toy"
    assert info.contract == "synth_optimizers.gepa.v2/taskset"
    assert info.task["output_space"] == {"kind": "closed"}
    assert info.can_poll
    assert info.raw["metadata"]["optimizer_contracts"]["gepa"]["rollout_route"] == "/rollouts"


def test_its_program_is_read_byte_for_byte(serve, make, container, toy):
    program = run(serve, make, container.fastapi(), lambda transport: transport.program())
    assert program.seed == {"m": toy.SEED_TEXT}
    assert (program.program_id, program.task_id, program.targets) == ("toy-program", "toy-task", ("m",))
    (component,) = program.components
    assert (component.name, component.module_id, component.role, component.objective) == (
        "m",
        "system",
        "system",
        "accuracy",
    )


def test_its_rows_come_in_the_order_asked_for(serve, make, container):
    ids = ("test:7", "test:0", "test:29")
    rows = run(
        serve, make, container.fastapi(), lambda transport: transport.rows(RowsRequest("test", ids=ids))
    )
    assert tuple(row.id for row in rows) == ids
    assert rows[0].data == {"task_id": "test:7", "text": "query 7", "label": "class 1"}
    assert {row.split for row in rows} == {"test"}


def test_seeds_are_asked_for_by_their_decimal_text(serve, make, toy):
    container = toy.build(by_number=True)
    rows = run(
        serve, make, container.fastapi(), lambda transport: transport.rows(RowsRequest("train", seeds=(4, 2)))
    )
    assert container.received == [{"split": "train", "task_ids": ["4", "2"], "filters": {}}]
    assert [(row.id, row.seed) for row in rows] == [("train:4", 4), ("train:2", 2)]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_rollout_gives_all_that_the_container_tells(serve, make, container, ask, mode):
    request = ask("my text", policy={"provider": "openai", "model": "m1"})
    outcome = run(
        serve,
        make,
        container.fastapi(),
        lambda transport: transport.rollout(request),
        settings={"rollout_submission_mode": mode},
    )
    assert isinstance(outcome, RolloutResult)
    assert outcome.reward == 0.25
    assert outcome.objectives == {"accuracy": 0.25, "brevity": 0.5}
    assert outcome.output == "my text"
    assert outcome.side_info == {"expected": "class 1"}
    assert outcome.rationales == {"accuracy": "one of four"}
    assert outcome.feedback == {"reward_details": {"missed": 3}}
    assert (outcome.usage.total_tokens, outcome.usage.cost_usd, outcome.usage.model) == (5, 0.01, "m1")
    assert outcome.trace_digest == digest({"event_history": [{"step": 1}]})


def test_a_rollout_request_is_one_that_the_strict_model_of_the_sdk_accepts(serve, make, container, ask):
    policy = {
        "enabled": True,
        "provider": "openai",
        "model": "m1",
        "policy_type": "dag",
        "api_key_env": "MY_KEY",
        "base_url": None,
        "max_tokens": 5,
        "config": {"temperature": 0.5},
    }
    run(serve, make, container.fastapi(), lambda transport: transport.rollout(ask("x", policy=policy)))
    (sent,) = container.received
    RolloutRequestModel.model_validate(sent)
    assert sent == {
        "rollout_id": "gepa_1",
        "submission_mode": "sync",
        "task_id": "toy-task",
        "task": {"task_id": "train:1", "text": "query 1", "label": "class 1"},
        "candidate": {"m": "x"},
        "candidate_overlay": {"candidate": {"m": "x"}, "metadata": {}},
        "policy": {
            "provider": "openai",
            "model": "m1",
            "max_tokens": 5,
            "config": {"policy_type": "dag", "api_key_env": "MY_KEY", "temperature": 0.5},
        },
        "metadata": {"candidate_id": ask("x").candidate.id, "evaluation_stage": "candidate_minibatch"},
    }


def test_labels_stay_out_of_requests_when_told_so(serve, make, container, ask):
    run(
        serve,
        make,
        container.fastapi(),
        lambda transport: transport.rollout(ask("x")),
        send_labels=False,
    )
    assert container.received[0]["task"] == {"task_id": "train:1", "text": "query 1"}


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_an_exception_in_the_container_is_a_failure_that_may_be_retried(serve, make, container, ask, mode):
    outcome = run(
        serve,
        make,
        container.fastapi(),
        lambda transport: transport.rollout(ask("raise")),
        settings={"rollout_submission_mode": mode},
    )
    assert isinstance(outcome, RolloutFailure)
    code = {"sync": "http_500", "async": "async_rollout_execution_failed"}[mode]
    assert (outcome.kind, outcome.code, outcome.retryable) == ("container", code, True)
    if mode == "async":
        assert "RuntimeError: the environment crashed" in outcome.message


def test_an_asynchronous_rollout_that_takes_too_long_is_terminated(serve, make, container, ask):
    outcome = run(
        serve,
        make,
        container.fastapi(),
        lambda transport: transport.rollout(ask("slow")),
        settings={"rollout_submission_mode": "async", "rollout_async_timeout_seconds": 0.2},
    )
    assert (outcome.kind, outcome.code, outcome.retryable) == ("timeout", "async_timeout", True)
    assert container.ended.wait(5)


def test_cancelling_an_asynchronous_rollout_tells_the_container(serve, make, container, ask):
    async def scenario(transport):
        task = asyncio.create_task(transport.rollout(ask("slow")))
        assert await asyncio.to_thread(container.began.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(container.ended.wait, 5)

    run(serve, make, container.fastapi(), scenario, settings={"rollout_submission_mode": "async"})


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_rollout_that_the_container_does_not_know_is_submitted(serve, make, container, ask, mode):
    outcome = run(
        serve,
        make,
        container.fastapi(),
        lambda transport: transport.rollout(ask("x", poll_first=True)),
        settings={"rollout_submission_mode": mode},
    )
    assert outcome.reward == 0.25
    assert len(container.received) == 1


def test_a_rollout_that_the_container_knows_is_not_submitted_again(serve, make, container, ask):
    async def scenario(transport):
        first = await transport.rollout(ask("x"))
        again = await transport.rollout(ask("x", poll_first=True))
        assert first == again

    run(serve, make, container.fastapi(), scenario, settings={"rollout_submission_mode": "async"})
    assert len(container.received) == 1


def test_many_rollouts_run_at_once_and_each_gets_its_own_record(serve, make, container, ask):
    async def scenario(transport):
        requests = [ask(f"text {i}", rollout_id=f"gepa_{i}") for i in range(40)]
        return await asyncio.gather(*map(transport.rollout, requests))

    outcomes = run(serve, make, container.fastapi(), scenario)
    assert [outcome.output for outcome in outcomes] == [f"text {i}" for i in range(40)]


def test_the_bearer_token_of_the_environment_is_sent_and_never_shown(serve, make, evil, ask):
    app = evil.Evil()
    outcome = run(
        serve,
        make,
        app,
        lambda transport: transport.rollout(ask("echo")),
        auth_bearer_env="MY_TOKEN",
        environ={"MY_TOKEN": "canary-123456"},
        headers={"x-api-key": "canary-654321", "x-plain": "seen"},
    )
    assert app.headers[0][b"authorization"] == b"Bearer canary-123456"
    assert app.headers[0][b"x-api-key"] == b"canary-654321"
    assert "seen" in outcome.message
    assert "canary" not in outcome.message
