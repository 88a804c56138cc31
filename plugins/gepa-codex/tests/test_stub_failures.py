"""Every way in which an app-server may misbehave, against a scripted one."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gepa_framework.errors import ProposerError
from gepa_framework.types import Edit


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch):
    monkeypatch.setattr("gepa_codex.supervisor.backoff", lambda failures: 0.01)
    monkeypatch.setattr("gepa_codex.proposer.backoff", lambda failures: 0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_good_answer_becomes_a_proposal(propose):
    proposal = propose("ok")
    assert dict(proposal.components) == {"system": "better system", "style": "better style"}
    assert proposal.rationale == "because"
    assert (proposal.usage.prompt_tokens, proposal.usage.completion_tokens) == (100, 20)
    assert (proposal.usage.total_tokens, proposal.usage.cost_usd) == (120, None)
    assert proposal.metadata["cached_prompt_tokens"] == 40
    assert proposal.metadata["usage_incomplete"] is False


def test_a_conversation_is_private_toolless_and_shaped(propose, stub):
    propose("ok", reasoning_effort="high", service_tier="priority", model="m-1")
    (thread,), (turn,) = stub.asked("thread/start"), stub.asked("turn/start")
    assert thread["ephemeral"] is True
    assert thread["environments"] == []
    assert (thread["approvalPolicy"], thread["sandbox"], thread["model"]) == ("never", "read-only", "m-1")
    assert (turn["effort"], turn["serviceTier"]) == ("high", "priority")
    assert turn["outputSchema"]["required"] == ["rationale", "candidate", "edits"]


def test_edits_are_handed_on_to_be_made_by_the_framework(propose):
    proposal = propose("edits")
    assert dict(proposal.components) == {}
    assert dict(proposal.edits) == {"system": (Edit("Answer", "Say"),)}


@pytest.mark.parametrize(
    ("scenario", "resolved"),
    [("ok", "m-1"), ("substitutes", "other-model"), ("reroutes", "safer-model"), ("tells_no_model", None)],
)
def test_the_model_that_was_asked_for_and_the_one_that_answered_are_told(propose, scenario, resolved):
    proposal = propose(scenario, model="m-1")
    assert (proposal.requested_model, proposal.model) == ("m-1", resolved)
    assert proposal.usage.model == (resolved or "m-1")


def test_an_app_server_that_ends_at_once_is_reported_with_its_words(propose, canary):
    error = propose("exits_early")
    assert "before it was ready" in str(error)
    assert "exit code 1" in str(error)
    assert "bad config" in str(error)
    assert canary not in str(error)
    assert not error.retryable


def test_an_app_server_that_never_starts_is_given_up(run, proposing, stub, request_):
    async def four_times():
        said = []
        async with proposing(**stub.config("exits_early", max_restarts=2)) as proposer:
            for _ in range(4):
                with pytest.raises(ProposerError) as error:
                    await proposer.propose(request_())
                said.append(str(error.value))
        return said

    assert ["max_restarts" in words for words in run(four_times())] == [False, False, False, True]
    assert len(stub.pids()) == 3


def test_an_app_server_that_hangs_at_its_start_is_ended(propose, stub):
    error = propose("hangs_at_start", start_timeout_seconds=1.0, attempts=1)
    assert "did not answer initialize within 1 s" in str(error)
    assert error.retryable
    assert not any(map(is_alive, stub.pids()))


def test_an_old_version_is_refused_with_the_range(propose):
    error = propose("old_version")
    assert "codex 0.99.0 is not supported, only >=0.154,<0.170" in str(error)
    assert not error.retryable


def test_lines_that_are_no_messages_are_passed_over(propose):
    assert propose("garbage").components["style"] == "better style"


def test_an_unanswered_request_ends_the_server(propose, stub):
    error = propose("unanswered", request_timeout_seconds=0.3)
    assert "did not answer thread/start within 0.3 s" in str(error)
    assert error.retryable
    assert len(stub.pids()) == 2
    assert not any(map(is_alive, stub.pids()))


def test_requests_of_the_server_are_answered_and_nothing_is_granted(propose, stub):
    propose("asks")
    answers = {m["id"]: m.get("result") or m["error"]["code"] for m in stub.log() if "method" not in m}
    assert answers == {
        0: {"decision": "decline"},
        1: {"decision": "decline"},
        2: {"permissions": {}, "scope": "turn"},
        3: {"answers": {}},
        4: {"action": "decline", "content": None},
        5: -32601,
    }


def test_a_dropped_final_message_is_not_made_up_from_deltas(propose, stub):
    error = propose("drops_message")
    assert "without a final message" in str(error)
    assert len(stub.asked("thread/start")) == 2


@pytest.mark.parametrize("scenario", ["invalid_once", "fenced_once", "truncated_once"])
def test_an_unusable_answer_is_repaired_in_the_same_conversation(propose, stub, scenario):
    proposal = propose(scenario)
    assert proposal.components["system"] == "better system"
    assert proposal.metadata["repaired"] is True
    assert proposal.usage.prompt_tokens == 200
    first, second = stub.asked("turn/start")
    assert first["threadId"] == second["threadId"]
    assert "cannot be used" in second["input"][0]["text"]


def test_a_repair_that_fails_ends_the_proposal(propose, stub):
    error = propose("invalid_always", attempts=3)
    assert "could not be used" in str(error)
    assert not error.retryable
    assert error.usage.prompt_tokens == 200
    assert len(stub.asked("turn/start")) == 2


def test_an_unknown_component_is_named(propose):
    assert "candidate lacks style, system" in str(propose("unknown_component"))


def test_a_server_killed_in_a_turn_is_replaced(propose, stub, caplog, canary):
    with caplog.at_level(logging.DEBUG):
        proposal = propose("dies_once")
    assert proposal.components["system"] == "better system"
    assert proposal.metadata["attempts"] == 2
    assert proposal.metadata["usage_incomplete"] is True
    assert len(stub.pids()) == 2
    assert "panic with [redacted]" in caplog.text
    assert canary not in caplog.text


def test_restarts_are_bounded(propose, stub):
    error = propose("unanswered", request_timeout_seconds=0.2, attempts=9, max_restarts=2)
    assert "more than proposer.max_restarts allows" in str(error)
    assert not error.retryable
    assert len(stub.pids()) == 3


def test_a_refused_turn_is_reported_at_once(propose):
    error = propose("refuses", timeout_seconds=5.0)
    assert "codex refused turn/start (code -32602)" in str(error)


def test_a_silent_turn_is_interrupted_and_the_server_kept(propose, stub):
    error = propose("silent", message_stall_timeout_seconds=0.3)
    assert "it was silent for 0.3 s" in str(error)
    assert len(stub.asked("turn/interrupt")) == 2
    assert len(stub.pids()) == 1


def test_signs_of_life_keep_a_slow_turn_going(propose):
    assert propose("slow", message_stall_timeout_seconds=1.2, attempts=1).rationale == "because"


def test_a_turn_that_takes_too_long_is_interrupted(propose, stub):
    error = propose("silent", timeout_seconds=0.3, attempts=1)
    assert "longer than 0.3 s" in str(error)
    assert "proposer.timeout_seconds" in str(error)
    assert error.retryable


def test_a_server_that_ignores_an_interrupt_is_ended(propose, stub, monkeypatch):
    monkeypatch.setattr("gepa_codex.conversation.INTERRUPT_SECONDS", 0.3)
    propose("ignores_interrupt", timeout_seconds=0.2)
    assert len(stub.pids()) == 2
    assert not any(map(is_alive, stub.pids()))


def test_a_failed_turn_is_tried_again_and_what_it_used_is_counted(propose, canary):
    error = propose("fails")
    assert error.retryable
    assert error.usage.prompt_tokens == 200
    assert canary not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None
