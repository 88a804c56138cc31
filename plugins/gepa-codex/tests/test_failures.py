from __future__ import annotations

import pytest

from gepa_codex.failures import Verdict, request_failure, turn_failure
from gepa_codex.proposer import Retries


def judged(info, message="m"):
    return turn_failure({"message": message, "codexErrorInfo": info}, key_variable="OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("info", "message", "verdict"),
    [
        ("internalServerError", "m", Verdict.RETRY),
        ("serverOverloaded", "m", Verdict.RETRY),
        ("rateLimitExceeded", "m", Verdict.RETRY),
        ("usageLimitExceeded", "m", Verdict.FATAL),
        ("modelNotFound", "m", Verdict.FATAL),
        ("unauthorized", "m", Verdict.FATAL),
        ("contextWindowExceeded", "m", Verdict.SHRINK),
        ({"httpConnectionFailed": {"httpStatusCode": 401}}, "m", Verdict.FATAL),
        ({"httpConnectionFailed": {"httpStatusCode": 403}}, "m", Verdict.FATAL),
        ({"httpConnectionFailed": {"httpStatusCode": 502}}, "m", Verdict.RETRY),
        ({"httpConnectionFailed": {"httpStatusCode": None}}, "m", Verdict.RETRY),
        ({"responseTooManyFailedAttempts": {"httpStatusCode": 429}}, "m", Verdict.RETRY),
        ({"responseStreamDisconnected": {"httpStatusCode": None}}, "m", Verdict.RETRY),
        ("other", "stream disconnected before completion: closed", Verdict.RETRY),
        ("other", "idle timeout waiting for SSE", Verdict.RETRY),
        ("other", '{"error": {"message": "bad effort"}}', Verdict.FATAL),
        ("other", "unexpected status 401 Unauthorized: key abc", Verdict.FATAL),
        ("other", "unexpected status 503 Unavailable", Verdict.RETRY),
        ("other", "Incomplete response returned, reason: max_output_tokens", Verdict.ONCE),
        ("somethingNew", "m", Verdict.ONCE),
        (None, "m", Verdict.ONCE),
        (["odd"], "m", Verdict.ONCE),
    ],
)
def test_a_failed_turn_is_judged_by_what_codex_says(info, message, verdict):
    error = judged(info, message)
    assert error.verdict is verdict
    assert error.retryable is (verdict is Verdict.RETRY)


@pytest.mark.parametrize("info", ["unauthorized", "other"])
def test_the_providers_words_about_a_key_stay_out(info):
    error = judged(info, "unexpected status 401 Unauthorized: Incorrect API key provided: abcdef")
    assert "abcdef" not in str(error)
    assert "check that the environment variable OPENAI_API_KEY holds a valid key" in str(error)


def test_a_failure_without_a_reason_says_so():
    assert "no reason given" in str(turn_failure(None, key_variable=None))


@pytest.mark.parametrize(
    ("code", "verdict"), [(-32001, Verdict.RETRY), (-32602, Verdict.FATAL), (-32603, Verdict.ONCE)]
)
def test_a_refused_request_is_judged_by_its_code(code, verdict):
    error = request_failure("turn/start", {"code": code, "message": "m"})
    assert error.verdict is verdict
    assert "turn/start" in str(error)


def test_what_nobody_knows_is_tried_once_more_and_no_oftener():
    error = judged("somethingNew")
    assert [Retries(5, made).again(error) for made in (1, 2)] == [True, False]
    assert not Retries(1, 1).again(error)


def test_what_may_pass_is_tried_as_often_as_allowed():
    error = judged("serverOverloaded")
    assert [Retries(3, made).again(error) for made in (1, 2, 3)] == [True, True, False]


def test_evidence_is_cut_down_only_once():
    retries, error = Retries(1, 1), judged("contextWindowExceeded")
    assert [retries.again(error), retries.again(error)] == [True, False]
