"""Whatever a container answers, a rollout ends in time as a typed outcome, and the next one works."""

from __future__ import annotations

import asyncio
import time

import pytest

from gepa_framework.errors import ContainerContractError, ContainerGoneError, TransportError
from gepa_framework.types import RolloutResult, RowsRequest

# candidate text: kind, code, retryable, HTTP status, words
FAILURES = {
    "array": ("contract", "contract", False, None, "must be an object"),
    "bad_cost": ("contract", "bad_record", False, None, "usage.cost_usd"),
    "bad_objectives": ("contract", "bad_record", False, None, "objective_scores[0]"),
    "bad_tokens": ("contract", "bad_record", False, None, "usage.prompt_tokens"),
    "boolean_reward": ("contract", "bad_record", False, None, "reward_info.outcome_reward is True"),
    "busy": ("container", "http_429", True, 429, "slow down"),
    "double_objectives": ("contract", "bad_record", False, None, "twice"),
    "empty": ("contract", "contract", False, None, "must be an object"),
    "failed": ("container", "env_crash", True, None, "env crashed"),
    "failed_and_scored": ("container", "rollout_failed", False, None, "out of memory"),
    "hang": ("timeout", "timeout", True, None, "no whole answer within 1 s"),
    "html": ("container", "http_500", True, 500, "<html>Internal Server Error</html>"),
    "huge": ("contract", "too_large", False, None, "larger than 100000 bytes"),
    "long_code": ("container", "c" * 80, False, None, "no detail given"),
    "marked": ("container", "http_409", True, 409, "retryable"),
    "missing_reward": (
        "contract",
        "bad_record",
        False,
        None,
        "missing; the container says: the judge",
    ),
    "nan": ("contract", "not_json", False, None, "NaN is not JSON"),
    "objectives_object": ("contract", "bad_record", False, None, "must be an array"),
    "overloaded": ("container", "http_529", True, 529, "529"),
    "refused": ("contract", "http_422", False, 422, "no"),
    "unavailable": ("container", "http_503", True, 503, "503"),
    "unknown_status": ("contract", "unknown_status", False, None, "pondering"),
    "wrong_rollout": ("contract", "wrong_rollout", False, None, "another"),
}
COSTS = {"failed_and_scored": 2, "busy": 0, "overloaded": 0, "unavailable": 0}
LIMITS = {"timeout_seconds": 1.0, "max_body_bytes": 100_000}


@pytest.fixture
def app(evil):
    return evil.Evil()


@pytest.fixture
def run(serve, make, app):
    url = serve(app)

    def running(scenario, **config):
        async def connected():
            async with make(url=url, **{**LIMITS, **config}) as transport:
                return await scenario(transport)

        return asyncio.run(connected())

    return running


@pytest.mark.parametrize(("how", "cost"), [("busy", 0.0), ("unavailable", 0.0), ("html", None)])
def test_only_a_rollout_that_was_turned_away_is_known_to_have_cost_nothing(run, ask, how, cost):
    assert run(lambda transport: transport.rollout(ask(how))).usage.cost_usd == cost


@pytest.mark.parametrize("how", FAILURES)
def test_a_bad_answer_is_a_typed_failure_and_the_next_rollout_works(run, ask, how):
    kind, code, retryable, status, words = FAILURES[how]

    async def scenario(transport):
        started = time.monotonic()
        failure = await transport.rollout(ask(how))
        assert time.monotonic() - started < 10
        assert (failure.kind, failure.code, failure.retryable) == (kind, code, retryable)
        assert failure.http_status == status
        assert words in failure.message
        assert isinstance(await transport.rollout(ask("good")), RolloutResult)
        return failure

    failure = run(scenario)
    assert failure.retry_after_seconds == (3 if how == "busy" else None)
    assert failure.usage.cost_usd == COSTS.get(how)


def test_failures_pass_through_the_redaction_of_the_run(run, ask):
    failure = run(
        lambda transport: transport.rollout(ask("html")), redact=lambda text: text.replace("Internal", "***")
    )
    assert "*** Server Error" in failure.message


def test_a_failure_has_the_same_words_in_every_run(serve, make, evil, ask):
    async def words(rollout_id):
        app = evil.Evil()
        app.states = [(404, {"detail": f"unknown_rollout:{rollout_id}"})]
        async with make(url=serve(app), **LIMITS) as transport:
            failures = [
                await transport.rollout(ask(how, rollout_id=rollout_id)) for how in ("async", "hang", "html")
            ]
        return [failure.message for failure in failures]

    messages = asyncio.run(words("gepa_1"))
    assert messages[0].startswith("GET /rollouts/{rollout_id}/state: status 404")
    assert messages == asyncio.run(words("gepa_2"))


def test_a_policy_that_holds_a_credential_is_never_sent(run, ask, app):
    request = ask("good", policy={"provider": "p", "config": {"nested": [{"openai_api_key": "x"}]}})
    failure = run(lambda transport: transport.rollout(request))
    assert (failure.kind, failure.retryable) == ("contract", False)
    assert "policy.config.nested.0.openai_api_key looks like a credential" in failure.message
    assert not [call for call in app.seen if call[0] == "POST"]


def test_cancelling_a_synchronous_rollout_frees_its_connection(run, ask, app):
    async def scenario(transport):
        tasks = [asyncio.create_task(transport.rollout(ask("hang"))) for _ in range(3)]
        while sum(call[0] == "POST" for call in app.seen) < 3:  # noqa: ASYNC110 - set in another thread
            await asyncio.sleep(0.005)
        started = time.monotonic()
        for task in tasks:
            task.cancel()
        assert all(
            isinstance(result, asyncio.CancelledError)
            for result in await asyncio.gather(*tasks, return_exceptions=True)
        )
        assert time.monotonic() - started < 1
        assert (await transport.rollout(ask("good"))).reward == 1.0

    run(scenario, timeout_seconds=30, concurrency=1)


def states(*values):
    return [(200, {"rollout_id": "gepa_1", **value}) for value in values]


ASYNC = {"settings": {"rollout_submission_mode": "async"}}
DONE = {"status": "completed", "reward": 0.5}


def test_an_asynchronous_rollout_is_followed_through_its_states(run, ask, app):
    app.states = states({"status": "queued"}, {"status": "pending"}, {"status": "running"}, DONE)
    assert run(lambda transport: transport.rollout(ask("async")), **ASYNC).reward == 0.5
    paths = [path for _, path, _ in app.seen if path.startswith("/rollouts")]
    assert paths == ["/rollouts", *["/rollouts/gepa_1/state"] * 4, "/rollouts/gepa_1"]
    assert app.seen[1][2]["submission_mode"] == "async"


def test_polling_survives_two_bad_moments_and_not_three(run, ask, app):
    app.states = [(503, {}), (503, {}), *states({"status": "running"}, DONE)]
    assert run(lambda transport: transport.rollout(ask("async")), **ASYNC).reward == 0.5
    app.states = [(503, {})]
    failure = run(lambda transport: transport.rollout(ask("async")), **ASYNC)
    assert (failure.code, failure.retryable) == ("http_503", True)


def test_a_rollout_that_the_container_forgot_is_a_failure(run, ask, app):
    app.states = [(404, {"detail": "unknown_rollout"})]
    assert run(lambda transport: transport.rollout(ask("async")), **ASYNC).code == "http_404"


def test_an_unknown_state_word_is_a_breach_of_contract(run, ask, app):
    app.states = states({"status": "pondering"})
    assert run(lambda transport: transport.rollout(ask("async")), **ASYNC).code == "unknown_status"


def test_a_rollout_that_never_ends_is_terminated_with_the_reason(run, ask, app):
    app.states = states({"status": "running"})
    settings = {"rollout_submission_mode": "async", "rollout_async_timeout_seconds": 0.1}
    assert run(lambda transport: transport.rollout(ask("async")), settings=settings).kind == "timeout"
    assert app.seen[-1] == ("POST", "/rollouts/gepa_1/terminate", {"reason": "timeout"})


def test_a_container_that_runs_a_synchronous_rollout_by_itself_is_followed_and_told(run, ask, app):
    app.states = states({"status": "running"}, DONE)
    assert run(lambda transport: transport.rollout(ask("async"))).reward == 0.5
    app.states = states({"status": "running"})
    settings = {"rollout_submission_mode": "sync", "rollout_async_timeout_seconds": 0.1}
    assert run(lambda transport: transport.rollout(ask("async")), settings=settings).kind == "timeout"
    assert app.seen[-1][1] == "/rollouts/gepa_1/terminate"


@pytest.mark.parametrize("status", ["terminated", "cancelled"])
def test_an_earlier_rollout_that_was_ended_on_request_is_submitted_again(run, ask, app, status):
    app.states = states({"status": status})
    outcome = run(lambda transport: transport.rollout(ask("good", poll_first=True)))
    assert outcome.reward == 1.0
    assert [call[:2] for call in app.seen[1:]] == [("GET", "/rollouts/gepa_1"), ("POST", "/rollouts")]


def test_an_earlier_rollout_that_failed_stays_failed(run, ask, app):
    app.states = states({"status": "failed", "status_detail": "no luck"})
    outcome = run(lambda transport: transport.rollout(ask("good", poll_first=True)))
    assert "no luck" in outcome.message


def test_a_rollout_id_cannot_reach_another_route(run, ask, app):
    app.states = [(404, {})]
    request = ask("good", rollout_id="../program?x#y", poll_first=True)
    assert run(lambda transport: transport.rollout(request)).reward == 1.0
    assert app.seen[1][:2] == ("GET", "/rollouts/../program?x#y")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({}, "array 'tasks'"),
        ({"tasks": [{"id": 1}]}, "gave 1 rows of split 'train', but 2"),
        ({"tasks": [{"id": 1}, 5]}, "row 1 must be an object"),
        ({"tasks": [{"id": 1}, {"text": "x"}]}, "row 1 has no identity"),
        ({"tasks": [{"id": 1}, {"id": 1}]}, "row 1 has the same identity as row 0: '1'"),
        ({"tasks": [{"id": "b"}, {"id": "a"}]}, "row 0 is 'b', but 'a' was asked for"),
    ],
)
def test_rows_that_do_not_fit_the_request_are_refused(run, app, rows, words):
    app.rows = rows
    with pytest.raises(ContainerContractError) as caught:
        run(lambda transport: transport.rows(RowsRequest("train", ids=("a", "b"))))
    assert words in str(caught.value)


def test_a_container_that_advertises_nothing_is_told_what_was_expected(run, app, ask):
    app.metadata = {"metadata": {"optimizer_contracts": {"other": {}}}}
    with pytest.raises(ContainerContractError) as caught:
        run(lambda transport: transport.describe())
    assert "optimizer contracts ['other']" in str(caught.value)
    assert "taskset_tasks_route or dataset_rows_route" in str(caught.value)
    with pytest.raises(ContainerGoneError, match="advertises no GEPA contract"):
        run(lambda transport: transport.rollout(ask("good")))


def test_a_container_that_nobody_serves_is_a_transport_error(make, ask):
    async def scenario():
        async with make(url="http://127.0.0.1:9") as transport:
            with pytest.raises(TransportError, match="cannot connect") as caught:
                await transport.describe()
            assert "start the container first" in caught.value.hint
            with pytest.raises(ContainerGoneError, match="cannot connect"):
                await transport.rollout(ask("good"))

    asyncio.run(scenario())


def test_a_server_that_is_no_container_is_told_from_one(serve, make, evil):
    app = evil.Evil()
    url = serve(app) + "/elsewhere"

    async def scenario():
        async with make(url=url) as transport:
            await transport.describe()

    with pytest.raises(ContainerContractError, match="/elsewhere serves neither /metadata nor /info"):
        asyncio.run(scenario())
    assert [path for _, path, _ in app.seen] == ["/elsewhere/metadata", "/elsewhere/info"]


def test_a_closed_transport_does_not_open_again(run, ask):
    async def scenario(transport):
        await transport.describe()
        await transport.close()
        await transport.close()
        with pytest.raises(TransportError, match="closed"):
            await transport.program()

    run(scenario)


def test_concurrent_first_calls_open_the_container_once(run, ask, app):
    async def scenario(transport):
        await asyncio.gather(*(transport.rollout(ask("good")) for _ in range(10)))

    run(scenario)
    assert [path for _, path, _ in app.seen].count("/metadata") == 1
