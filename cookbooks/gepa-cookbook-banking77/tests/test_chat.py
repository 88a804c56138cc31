from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from gepa_cookbook_banking77.chat import ChatPolicy, ChatSettings, read_intent
from gepa_cookbook_banking77.policies import PolicyError, Question, Verdict

LABELS = ("card_arrival", "lost_card", "lost_card_abroad", "reverted_card_payment?")
PATH = "/v1/chat/completions"


def completion(content: object, **more: object) -> dict[str, object]:
    return {"choices": [{"message": {"role": "assistant", "content": content}}], **more}


def ask(fake_server: Any, **policy: object) -> Verdict:
    async def asking() -> Verdict:
        async with aclosing(ChatPolicy()) as chat:
            full = {"base_url": f"{fake_server.url}/v1", "api_key_env": "", "model": "m", **policy}
            return await chat(Question("Where is it?", "- lost_card: gone", LABELS, "lost_card", full))

    return asyncio.run(asking())


def refusal_of(fake_server: Any, **policy: object) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        ask(fake_server, **policy)
    return caught.value


def test_the_model_is_asked_with_instruction_cards_and_query(fake_server: Any) -> None:
    fake_server.say(PATH, completion("lost_card"))
    assert ask(fake_server, max_tokens=12, config={"temperature": 0}).answer == "lost_card"
    ((path, headers, body),) = fake_server.asked
    system, user = body["messages"]
    assert path == PATH
    assert "authorization" not in headers
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("m", 12, 0)
    assert system["content"].endswith("\n\n- lost_card: gone")
    assert user == {"role": "user", "content": "Where is it?"}


def test_the_key_comes_from_the_environment_of_the_container(
    fake_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_KEY", "fake-secret-value")
    fake_server.say(PATH, completion("lost_card"))
    ask(fake_server, api_key_env="FAKE_KEY")
    assert fake_server.asked[0][1]["authorization"] == "Bearer fake-secret-value"


def test_the_name_of_the_key_may_come_in_the_config_and_goes_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FAKE_KEY", "fake-secret-value")
    settings = ChatSettings.of({"config": {"api_key_env": "FAKE_KEY", "temperature": 0}})
    assert settings.key() == "fake-secret-value"
    assert settings.extra == {"temperature": 0}


def test_a_missing_key_names_the_variable(fake_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(PolicyError, match="OPENAI_API_KEY is not set") as caught:
        ChatSettings.of({}).key()
    assert (caught.value.code, caught.value.retryable) == ("policy_key_missing", False)


def test_usage_and_model_are_the_providers(fake_server: Any) -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "details": {}}
    fake_server.say(PATH, completion("lost_card", usage=counts, model="m-1"))
    usage = ask(fake_server).usage
    assert usage == {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "model": "m-1"}


def test_unknown_usage_is_not_zero(fake_server: Any) -> None:
    fake_server.say(PATH, completion("lost_card"))
    assert ask(fake_server).usage == {}


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_refusal_that_may_pass_is_retryable(fake_server: Any, status: int) -> None:
    fake_server.say(PATH, {"error": "busy"}, status=status, headers={"retry-after": "3"})
    error = refusal_of(fake_server)
    assert (error.code, error.retryable, error.http_status) == ("policy_status", True, status)
    assert error.retry_after == 3.0


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_that_stays_is_not_retryable(fake_server: Any, status: int) -> None:
    fake_server.say(PATH, {"error": "no"}, status=status)
    error = refusal_of(fake_server)
    assert (error.retryable, error.http_status) == (False, status)


def test_a_dead_endpoint_is_retryable_and_named(fake_server: Any) -> None:
    fake_server.vanish()
    error = refusal_of(fake_server)
    assert (error.code, error.retryable) == ("policy_connect", True)
    assert fake_server.url in error.message


def test_the_key_is_in_no_message(fake_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_KEY", "fake-secret-value")
    fake_server.say(PATH, {"error": "bad key fake-secret-value"}, status=401)
    assert "fake-secret-value" not in refusal_of(fake_server, api_key_env="FAKE_KEY").message


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": [{}]}, {"choices": 3}, [], None])
def test_what_is_no_completion_is_a_failure(fake_server: Any, body: object) -> None:
    fake_server.say(PATH, body)
    assert refusal_of(fake_server).code == "policy_bad_answer"


@pytest.mark.parametrize(("field", "value"), [("api_family", "responses"), ("config", {"messages": []})])
def test_what_this_policy_does_not_do_is_refused(fake_server: Any, field: str, value: object) -> None:
    assert refusal_of(fake_server, **{field: value}).code == "policy_unsupported"
    assert fake_server.asked == []


@pytest.mark.parametrize("content", ["I cannot tell", "", None, "card_arrival or lost_card"])
def test_an_answer_without_one_intent_is_wrong_and_is_quoted(fake_server: Any, content: object) -> None:
    fake_server.say(PATH, completion(content))
    verdict = ask(fake_server)
    assert verdict.answer is None
    assert repr(content or "") in verdict.said


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("lost_card", "lost_card"),
        (" `Lost card`.\n", "lost_card"),
        ("The intent is lost_card.", "lost_card"),
        ("lost_card_abroad", "lost_card_abroad"),
        ("intent: lost_card_abroad!", "lost_card_abroad"),
        ("reverted_card_payment", "reverted_card_payment?"),
        ("lost_cards", None),
        ("lost_card, card_arrival", None),
    ],
)
def test_an_intent_is_found_in_what_the_model_says(text: str, intent: str | None) -> None:
    assert read_intent(text, LABELS) == intent


def test_one_client_serves_many_questions(fake_server: Any) -> None:
    fake_server.say(PATH, completion("lost_card"))

    async def asking() -> list[str | None]:
        async with aclosing(ChatPolicy()) as chat:
            policy = {"base_url": f"{fake_server.url}/v1", "api_key_env": ""}
            questions = [Question(f"q{n}", "- lost_card: x", LABELS, "lost_card", policy) for n in range(20)]
            return [verdict.answer for verdict in await asyncio.gather(*map(chat, questions))]

    assert asyncio.run(asking()) == ["lost_card"] * 20
    assert {body["messages"][1]["content"] for _, _, body in fake_server.asked} == {
        f"q{n}" for n in range(20)
    }
