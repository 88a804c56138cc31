"""What came of a rollout: reading the container's record of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from gepa_framework.types import (
    FailureKind,
    JSONObject,
    JSONValue,
    RolloutFailure,
    RolloutOutcome,
    RolloutResult,
    Usage,
    digest,
)
from gepa_synth_containers.contract import mapping

PENDING = frozenset(
    {"accepted", "created", "in_progress", "paused", "pending", "queued", "running", "submitted"}
)
DONE = frozenset({"completed", "done", "finished", "ok", "succeeded", "success"})
FAILED = frozenset(
    {"aborted", "canceled", "cancelled", "error", "errored", "failed", "terminated", "timed_out", "timeout"}
)
#: Ended because somebody asked for it, not because it went wrong: it may be submitted again.
ENDED_ON_REQUEST = frozenset({"aborted", "canceled", "cancelled", "terminated"})

_OUTPUT_FIELDS = (
    "output",
    "prediction",
    "predicted",
    "predicted_label",
    "predicted_answer",
    "model_output",
    "final_answer",
    "answer",
    "response",
    "completion",
    "text",
)
_SCORE_FIELDS = frozenset({"outcome_reward", "reward", "score"})
# The SDK reports the exception of a callback so in async mode, and as a 500 in sync mode: one class for both.
_CALLBACK_RAISED = "async_rollout_execution_failed"
_SHA_256 = re.compile(r"[0-9a-f]{64}")
_DETAIL_CHARS = 500
_CODE_CHARS = 80


class _BrokenRecordError(ValueError):
    """The record of a rollout breaks the contract; the message says where."""


def status_of(record: JSONObject) -> str:
    """Give the container's word for where the rollout stands; one that says nothing is done."""
    for key in ("status", "success_status"):
        value = record.get(key)
        if isinstance(value, str) and value:
            return value.strip().lower()
    return "completed"


def _number(value: JSONValue) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _reward(record: JSONObject) -> float:
    info, summary = mapping(record.get("reward_info")), mapping(record.get("summary"))
    places = {
        "reward_info.outcome_reward": info.get("outcome_reward"),
        "reward_info.score": info.get("score"),
        "summary.outcome_reward": summary.get("outcome_reward"),
        "reward": record.get("reward"),
    }
    for value in places.values():
        reward = _number(value)
        if reward is not None:
            return reward
    found = [f"{place} is {value!r:.40}" for place, value in places.items() if value is not None]
    raise _BrokenRecordError(
        f"no finite number in {', '.join(places)}: {', '.join(found) or 'all four are missing'}"
    )


def _scores(record: JSONObject) -> list[tuple[str, float, str]]:
    """Give objective, value and rationale of each objective score."""
    entries = record.get("objective_scores") or []
    if not isinstance(entries, list):
        raise _BrokenRecordError("objective_scores must be an array")
    found: list[tuple[str, float, str]] = []
    for index, entry in enumerate(entries):
        name, value = mapping(entry).get("objective"), _number(mapping(entry).get("value"))
        if not isinstance(name, str) or not name or value is None:
            raise _BrokenRecordError(f"objective_scores[{index}] needs an objective and a finite value")
        rationale = mapping(entry).get("rationale")
        found.append((name, value, rationale if isinstance(rationale, str) else ""))
    if len({name for name, _, _ in found}) != len(found):
        raise _BrokenRecordError("objective_scores names an objective twice")
    return found


def _metrics(record: JSONObject) -> dict[str, float]:
    """Give the named reward terms that are numbers."""
    terms = mapping(mapping(record.get("reward_info")).get("metrics"))
    return {name: number for name, value in terms.items() if (number := _number(value)) is not None}


def _tokens(usage: JSONObject, *names: str) -> int | None:
    for name in names:
        value = usage.get(name)
        if value is None:
            continue
        number = _number(value)
        if number is None or number < 0 or not number.is_integer():
            raise _BrokenRecordError(f"usage.{name} must be a whole number of tokens, got {value!r:.40}")
        return int(number)
    return None


def _usage(record: JSONObject) -> Usage:
    usage = mapping(record.get("usage"))
    cost = _number(usage.get("cost_usd"))
    if usage.get("cost_usd") is not None and (cost is None or cost < 0):
        raise _BrokenRecordError(f"usage.cost_usd must be a number of dollars, got {usage['cost_usd']!r:.40}")
    model = usage.get("model")
    return Usage(
        prompt_tokens=_tokens(usage, "prompt_tokens", "input_tokens"),
        completion_tokens=_tokens(usage, "completion_tokens", "output_tokens"),
        total_tokens=_tokens(usage, "total_tokens"),
        cost_usd=cost,
        model=model if isinstance(model, str) and model else None,
    )


def _without(value: JSONValue, names: frozenset[str]) -> dict[str, JSONValue]:
    return {key: item for key, item in mapping(value).items() if key not in names}


def _output(record: JSONObject) -> JSONValue:
    """Give what the candidate produced: a field that is named so, else what the summary tells."""
    summary = mapping(record.get("summary"))
    details = mapping(mapping(record.get("reward_info")).get("details"))
    for holder in (record, summary, details):
        for name in _OUTPUT_FIELDS:
            if holder.get(name) is not None:
                return holder[name]
    return _without(summary, _SCORE_FIELDS) or None


def _side_info(record: JSONObject) -> JSONObject:
    """Give what the container thinks helps; what is no object stands under its own name."""
    side = record.get("actionable_side_info")
    if isinstance(side, Mapping):
        return side
    return {"actionable_side_info": side} if side else {}


def _feedback(record: JSONObject) -> JSONObject:
    details = _without(mapping(record.get("reward_info")).get("details"), frozenset({"objective"}))
    return {"reward_details": details} if details else {}


def _trace_digest(record: JSONObject) -> str:
    """Give the digest of the trace: the container's own where it gives one instead of the trace."""
    trace = record.get("trace")
    if trace:
        return digest(trace)
    named = record.get("trace_digest")
    return named if isinstance(named, str) and _SHA_256.fullmatch(named) else ""


def _status_detail(record: JSONObject) -> str:
    value = record.get("status_detail")
    return value[:_DETAIL_CHARS] if isinstance(value, str) else ""


def _result(record: JSONObject) -> RolloutResult:
    scores = _scores(record)
    return RolloutResult(
        reward=_reward(record),
        objectives={name: value for name, value, _ in scores},
        metrics=_metrics(record),
        output=_output(record),
        feedback=_feedback(record),
        usage=_usage(record),
        trace_digest=_trace_digest(record),
        status_detail=_status_detail(record),
        rationales={name: text for name, _, text in scores if text},
        side_info=_side_info(record),
    )


def _spent(record: JSONObject) -> Usage:
    """Give what a failed rollout consumed; a broken account of it is no reason to lose the failure."""
    try:
        return _usage(record)
    except _BrokenRecordError:
        return Usage()


def _failure(record: JSONObject, status: str) -> RolloutFailure:
    error, metadata = mapping(record.get("error")), mapping(record.get("metadata"))
    codes = (error.get("code"), record.get("code"), record.get("error_code"), metadata.get("error_code"))
    code = next((value for value in codes if isinstance(value, str) and value), f"rollout_{status}")
    words = (record.get("status_detail"), error.get("message"), record.get("message"), record.get("error"))
    detail = next((value for value in words if isinstance(value, str) and value), "no detail given")
    marks = (error.get("retryable"), record.get("retryable"), metadata.get("retryable"))
    mark = next((value for value in marks if isinstance(value, bool)), code == _CALLBACK_RAISED)
    return RolloutFailure(
        kind=FailureKind.CONTAINER,
        code=code[:_CODE_CHARS],
        message=f"the container says {status!r}: {detail[:_DETAIL_CHARS]}",
        retryable=mark,
        usage=_spent(record),
    )


def broken(message: str, *, code: str = "contract") -> RolloutFailure:
    """Give the failure of a container that answered what the contract does not allow."""
    return RolloutFailure(kind=FailureKind.CONTRACT, code=code, message=message)


def read_outcome(value: JSONValue) -> RolloutOutcome:
    """Read the record of a rollout that has come to its end.

    Reward, in this order: ``reward_info.outcome_reward``, ``reward_info.score``, ``summary.outcome_reward``,
    ``reward``. The status decides whether it failed: a rollout that ended well may have failed its task.
    """
    if not isinstance(value, Mapping):
        return broken(f"the record of a rollout must be an object, got {type(value).__name__}")
    status = status_of(value)
    if status in FAILED:
        return _failure(value, status)
    if status not in DONE:
        return broken(f"the status {status!r:.60} is not one that is known", code="unknown_status")
    try:
        return _result(value)
    except _BrokenRecordError as error:
        detail = _status_detail(value)
        return broken(f"{error}; the container says: {detail}" if detail else str(error), code="bad_record")
