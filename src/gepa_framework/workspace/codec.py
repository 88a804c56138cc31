"""Inputs of the machine as JSON, and back, without loss."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from gepa_framework.engine import Cancel, Completed, Input, Outcome, ProposalFailure, Tick
from gepa_framework.errors import InvariantError
from gepa_framework.types import (
    ComponentSpec,
    ContainerInfo,
    FailureKind,
    JSONValue,
    Program,
    Proposal,
    RolloutFailure,
    RolloutResult,
    TaskRow,
    Usage,
    compact_json,
)

_KINDS: Mapping[type[object], str] = {
    ContainerInfo: "metadata",
    Program: "program",
    tuple: "rows",
    RolloutResult: "rollout",
    RolloutFailure: "rollout_failure",
    Proposal: "proposal",
    ProposalFailure: "proposal_failure",
    Tick: "tick",
    Cancel: "cancel",
}
_USAGE = tuple(field.name for field in attrs.fields(Usage))


def _usage(usage: Usage) -> JSONValue:
    return {name: value for name in _USAGE if (value := getattr(usage, name)) is not None}


def _result(result: RolloutResult) -> JSONValue:
    """Give a result without its defaults; there is one for every rollout, so it is kept small and quick."""
    fields: dict[str, JSONValue] = {"reward": result.reward}
    if result.output is not None:
        fields["output"] = result.output
    for name in ("objectives", "metrics", "feedback", "trace_digest", "status_detail"):
        if value := getattr(result, name):
            fields[name] = value
    fields["usage"] = _usage(result.usage)
    return fields


def _plain(outcome: object) -> JSONValue:
    if isinstance(outcome, RolloutResult):
        return _result(outcome)
    if isinstance(outcome, tuple):
        return [_plain(row) for row in outcome]
    if not attrs.has(type(outcome)):
        raise InvariantError(f"{type(outcome).__name__} cannot be journalled")
    fields: dict[str, JSONValue] = attrs.asdict(outcome)  # type: ignore[arg-type]
    return fields


def encode_outcome(outcome: Outcome) -> tuple[str, str]:
    """Give kind and payload of an outcome.

    Raises:
        ValueError: It holds NaN or an infinity.
        TypeError: It holds what is not JSON.
    """
    return _KINDS[type(outcome)], compact_json(_plain(outcome))


def encode(given: Input) -> tuple[str, str | None, str]:
    """Give kind, effect id and payload of an input."""
    if isinstance(given, Completed):
        kind, payload = encode_outcome(given.outcome)
        return kind, given.effect_id, payload
    return _KINDS[type(given)], None, compact_json(_plain(given))


def _with_usage(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "usage": Usage(**fields["usage"])}


def _program(fields: dict[str, Any]) -> Program:
    components = tuple(ComponentSpec(**spec) for spec in fields["components"])
    return Program(**{**fields, "components": components, "targets": tuple(fields["targets"])})


def _failure(fields: dict[str, Any]) -> RolloutFailure:
    return RolloutFailure(**{**_with_usage(fields), "kind": FailureKind(fields["kind"])})


_OUTCOMES: Mapping[str, Callable[[Any], Outcome]] = {
    "metadata": lambda fields: ContainerInfo(**fields),
    "program": _program,
    "rows": lambda rows: tuple(TaskRow(**row) for row in rows),
    "rollout": lambda fields: RolloutResult(**_with_usage(fields)),
    "rollout_failure": _failure,
    "proposal": lambda fields: Proposal(**_with_usage(fields)),
    "proposal_failure": lambda fields: ProposalFailure(**_with_usage(fields)),
}


def decode_outcome(kind: str, payload: str) -> Outcome:
    """Give the outcome back that was encoded."""
    return _OUTCOMES[kind](json.loads(payload))


def decode(kind: str, effect_id: str | None, payload: str) -> Input:
    """Give the input back that was encoded."""
    if kind == "tick":
        return Tick()
    if kind == "cancel":
        return Cancel(**json.loads(payload))
    return Completed(effect_id or "", decode_outcome(kind, payload))
