"""The real codex, against a provider on loopback."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import time
from pathlib import Path

import pytest

from gepa_framework.errors import ProposerError
from gepa_framework.types import Edit, EvidenceFrame, Repair

pytestmark = [
    pytest.mark.codex_real,
    pytest.mark.skipif(
        importlib.util.find_spec("codex_cli_bin") is None,
        reason="openai-codex-cli-bin is not installed; pip install 'gepa-codex[bin]'",
    ),
]


@pytest.fixture
def codex(run, fake_responses, proposing):
    """Run ``scene(proposer, provider)`` with the real codex and a provider that is told what to say."""

    def codex_(scene, *steps, default=None, **config):
        async def play():
            async with fake_responses(default) as provider:
                provider.queue.extend(steps)
                async with proposing(
                    **{"base_url": provider.url, "model": "gepa-fake", **config}
                ) as proposer:
                    return await scene(proposer, provider)

        return run(play())

    return codex_


@pytest.fixture
def once(codex, request_):
    """Make one proposal; give it, or the error that it ended in, and the provider."""

    def once_(*steps, request=None, **config):
        async def scene(proposer, provider):
            try:
                return await proposer.propose(request or request_()), provider
            except ProposerError as error:
                return error, provider

        return codex(scene, *steps, **config)

    return once_


def test_a_structured_answer_becomes_a_proposal(once):
    proposal, provider = once()
    assert dict(proposal.components) == {"system": "new system", "style": "new style"}
    assert (proposal.usage.prompt_tokens, proposal.usage.completion_tokens) == (100, 20)
    assert proposal.metadata["codex_version"].startswith("0.")
    (request,) = provider.requests
    form = request["body"]["text"]["format"]
    assert (form["type"], form["strict"]) == ("json_schema", True)
    assert list(form["schema"]["properties"]["candidate"]["properties"]) == ["system", "style"]
    assert "Answer {query}." in json.dumps(request["body"]["input"])


def test_an_answer_of_edits_becomes_a_proposal_of_edits(once):
    edit = {"component": "system", "search": "Answer", "replace": "Say"}
    answer = {"rationale": "r", "candidate": {"system": None, "style": None}, "edits": [edit]}
    proposal, provider = once({"json": answer})
    assert (dict(proposal.components), dict(proposal.edits)) == ({}, {"system": (Edit("Answer", "Say"),)})
    schema = provider.requests[0]["body"]["text"]["format"]["schema"]
    assert schema["properties"]["edits"]["items"]["required"] == ["component", "search", "replace"]


def test_a_model_that_the_provider_put_in_place_of_the_one_asked_for_is_told(once):
    proposal, _ = once({"model": "other-model"})
    assert (proposal.requested_model, proposal.model) == ("gepa-fake", "other-model")


def test_a_request_for_a_repair_is_put_to_the_model(once, request_):
    _, provider = once(request=request_(repair=Repair(("'Anser' occurs 0 times",), '{"edits": {}}')))
    assert "'Anser' occurs 0 times" in json.dumps(provider.requests[0]["body"]["input"])


@pytest.mark.parametrize("model", ["gepa-fake", "gpt-5.5"])
def test_the_model_that_codex_asks_is_told(once, model):
    proposal, provider = once(model=model)
    assert proposal.requested_model == proposal.model == provider.requests[0]["body"]["model"] == model


@pytest.mark.parametrize("model", ["gepa-fake", "gpt-5.5"])
def test_effort_reaches_the_provider(once, model):
    _, provider = once(reasoning_effort="high", model=model)
    body = provider.requests[0]["body"]
    assert (body["model"], body["reasoning"]["effort"]) == (model, "high")


def test_the_key_reaches_the_provider_alone(once, canary):
    _, provider = once()
    assert provider.requests[0]["headers"]["authorization"] == f"Bearer {canary}"
    assert canary not in json.dumps(provider.requests[0]["body"])


def test_without_a_key_none_is_sent(once):
    proposal, provider = once(api_key_env="")
    assert proposal.components["style"] == "new style"
    assert "authorization" not in provider.requests[0]["headers"]


def test_an_error_500_that_passes_does_no_harm(once):
    proposal, provider = once({"http": 500})
    assert proposal.components["style"] == "new style"
    assert len(provider.requests) == 2


def test_a_refused_key_is_not_shown_and_not_tried_again(once, canary):
    refused = {"http": 401, "body": {"error": {"message": f"Incorrect API key provided: {canary}"}}}
    error, provider = once(default=refused, attempts=3)
    assert "HTTP 401" in str(error)
    assert "environment variable OPENAI_API_KEY" in str(error)
    assert canary not in str(error)
    assert not error.retryable
    assert len(provider.requests) <= 2


@pytest.mark.parametrize(
    ("step", "retryable", "words"),
    [
        ({"http": 400, "body": {"error": {"message": "no such effort"}}}, False, "no such effort"),
        ({"http": 429, "body": {"error": {"message": "slow"}}}, True, "propose"),
        (
            {"http": 404, "body": {"error": {"code": "model_not_found", "message": "m"}}},
            False,
            "proposer.model",
        ),
        ({"failed": "context_length_exceeded"}, False, "does not fit the model"),
        ({"incomplete": "max_output_tokens"}, False, "max_output_tokens"),
        ({"drop": True}, True, "stream disconnected"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_the_provider_does_wrong_is_judged(once, step, retryable, words):
    error, _ = once(default=step, attempts=1)
    assert words in str(error)
    assert error.retryable is retryable


def test_a_stream_cut_once_does_no_harm(once):
    proposal, _ = once({"drop": True})
    assert proposal.components["style"] == "new style"
    assert proposal.metadata["usage_incomplete"] is True


def test_evidence_is_cut_down_once_when_it_does_not_fit(once, request_):
    frames = tuple(EvidenceFrame(f"r{n}", {"q": "x" * 40_000}, 0.0) for n in range(10))
    proposal, provider = once({"failed": "context_length_exceeded"}, request=request_(evidence=frames))
    assert proposal.components["style"] == "new style"
    first, second = (len(json.dumps(request["body"]["input"])) for request in provider.requests)
    assert second < first / 2


def test_an_answer_that_is_no_json_is_repaired(once):
    proposal, provider = once({"text": "Sure! Here it is:"})
    assert proposal.metadata["repaired"] is True
    assert proposal.usage.prompt_tokens == 200
    assert "cannot be used" in json.dumps(provider.requests[1]["body"]["input"])


def test_an_answer_without_usage_has_unknown_usage(once):
    proposal, _ = once({"usage": None})
    assert proposal.usage.prompt_tokens is None
    assert proposal.metadata["usage_incomplete"] is True


def test_silence_before_headers_ends_in_time_and_the_server_goes_on(codex, request_, app_servers):
    async def scene(proposer, provider):
        begun = time.monotonic()
        with pytest.raises(ProposerError, match="longer than 1 s"):
            await proposer.propose(request_())
        took = time.monotonic() - begun
        (server,) = app_servers()
        again = await proposer.propose(request_())
        return took, server in app_servers(), again

    took, kept, again = codex(scene, {"hang": "before"}, timeout_seconds=1.0, attempts=1)
    assert took < 5
    assert kept
    assert again.components["style"] == "new style"


def test_a_killed_server_is_replaced_and_the_proposal_made(codex, request_, app_servers):
    async def scene(proposer, provider):
        task = asyncio.create_task(proposer.propose(request_()))
        await provider.asked.wait()
        (server,) = app_servers()
        os.kill(server, signal.SIGKILL)
        return await task

    proposal = codex(scene, {"hang": "after"})
    assert proposal.components["style"] == "new style"
    assert proposal.metadata["attempts"] == 2


def test_eight_proposals_at_once_each_get_their_own_answer(codex, request_, app_servers):
    async def scene(proposer, provider):
        tasks = [proposer.propose(request_(task={"fake": mark(n)})) for n in range(8)]
        return await asyncio.gather(*tasks), provider.peak, len(app_servers())

    def mark(number: int) -> str:
        texts = {"system": f"s{number}", "style": f"t{number}"}
        answer = {"rationale": f"r{number}", "candidate": texts, "edits": []}
        return f"fake({json.dumps({'json': answer, 'together': 8})})"

    proposals, peak, servers = codex(scene)
    assert [p.components["system"] for p in proposals] == [f"s{n}" for n in range(8)]
    assert peak == 8
    assert servers == 1


def test_a_cancelled_proposal_lets_go_of_the_provider(codex, request_, eventually):
    async def scene(proposer, provider):
        task = asyncio.create_task(proposer.propose(request_()))
        await provider.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: provider.in_flight == 0)
        return await proposer.propose(request_())

    assert codex(scene, {"hang": "before"}).components["style"] == "new style"


def test_the_process_sees_the_key_and_nothing_else_of_the_user(codex, request_, canary, app_servers):
    async def scene(proposer, provider):
        await proposer.propose(request_())
        (server,) = app_servers()
        proc = Path(f"/proc/{server}")
        return (proc / "environ").read_bytes().decode(), (proc / "cmdline").read_bytes().decode()

    environ, command = codex(scene)
    assert f"GEPA_CODEX_API_KEY={canary}" in environ
    assert "SECRET_OF_USER" not in environ
    assert canary not in command


def test_no_file_holds_the_key_or_the_prompt_and_none_is_left(codex, request_, context, canary):
    async def scene(proposer, provider):
        await proposer.propose(request_(task={"note": "a-word-of-the-prompt"}))
        (home,) = context.run_dir.glob("codex-home-*")
        return [path.read_bytes() for path in home.rglob("*") if path.is_file()]

    contents = codex(scene)
    assert any(b"GEPA_CODEX_API_KEY" in content for content in contents)
    assert not any(canary.encode() in content for content in contents)
    assert not any(b"a-word-of-the-prompt" in content for content in contents)
    assert list(context.run_dir.iterdir()) == []


def test_closing_leaves_no_process(once, app_servers):
    begun = time.monotonic()
    once()
    assert app_servers() == []
    assert time.monotonic() - begun < 20


def test_a_wrong_extra_setting_is_reported_in_codex_own_words(once):
    error, _ = once(extra_config={"no_such_setting": 1})
    assert "before it was ready" in str(error)
    assert "no_such_setting" in str(error)
    assert not error.retryable
