"""Inputs of the machine as JSON, and back, without loss."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import attrs

from gepa_framework.engine import (
    Abandoned,
    Cancel,
    Completed,
    Extend,
    Input,
    Limits,
    Outcome,
    ProposalFailure,
    Tick,
)
from gepa_framework.errors import InvariantError
from gepa_framework.types import (
    FREE,
    ComponentSpec,
    ContainerInfo,
    Edit,
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
    Abandoned: "abandoned",
    Extend: "extend",
}
#: Fields of a rollout's result that are left out where they are empty.
_NOT_ALWAYS = (
    *("objectives", "metrics", "feedback", "trace_digest", "status_detail"),
    *("rationales", "side_info"),
)
_PROPOSAL = tuple(field.name for field in attrs.fields(Proposal))
_USAGE = tuple(field.name for field in attrs.fields(Usage))
# There is a result for every rollout: what is read of it is read at once.
_optional = attrgetter(*_NOT_ALWAYS)
_scalars = attrgetter("reward", "output", "trace_digest", "status_detail")
_mappings = attrgetter("objectives", "metrics", "feedback", "rationales", "side_info")
_proposal_scalars = attrgetter("rationale", "model", "truncated", "requested_model")
_usage_values = attrgetter(*_USAGE)


def _usage(usage: Usage) -> JSONValue:
    values = zip(_USAGE, _usage_values(usage), strict=True)
    return {name: value for name, value in values if value is not None}


_FREE_TAIL = f',"usage":{compact_json(_usage(FREE))}}}'


def _result_text(result: RolloutResult) -> str:
    """Encode a result without its defaults; there is one for every rollout, so it is kept small and quick."""
    fields: dict[str, JSONValue] = {"reward": result.reward}
    if result.output is not None:
        fields["output"] = result.output
    for name, value in zip(_NOT_ALWAYS, _optional(result), strict=True):
        if value:
            # A plain dict costs the encoder no question what it is.
            fields[name] = value.copy() if type(value) is MappingProxyType else value
    if result.usage is FREE:
        return compact_json(fields)[:-1] + _FREE_TAIL
    fields["usage"] = _usage(result.usage)
    return compact_json(fields)


#: Types of which JSON gives back just what it was given.
_EXACT = frozenset((str, int, float, bool, type(None)))
_KEYS = frozenset((str,))


def is_exact(outcome: Outcome) -> bool:
    """Tell whether an outcome is certain to be what decoding gives, to the last detail.

    So are plain results, of which there is one for every rollout, and plain proposals of whole texts. Others
    may be as well: to decode them tells.
    """
    if type(outcome) is RolloutResult:
        scalars, mappings = _scalars(outcome), _mappings(outcome)
    elif type(outcome) is Proposal and not outcome.edits:
        scalars, mappings = _proposal_scalars(outcome), (outcome.components, outcome.metadata)
    else:
        return False
    usage = outcome.usage
    if usage is not FREE and not _is_plain_usage(usage):
        return False
    if not _EXACT.issuperset(map(type, scalars)):
        return False
    for mapping in mappings:  # noqa: SIM110 - most are empty, and a generator takes longer than they do
        if mapping and not _is_plain(mapping):
            return False
    return True


def _is_plain_usage(usage: Usage) -> bool:
    return type(usage) is Usage and _EXACT.issuperset(map(type, _usage_values(usage)))


def _is_plain(mapping: Mapping[object, object]) -> bool:
    return _KEYS.issuperset(map(type, mapping)) and _EXACT.issuperset(map(type, mapping.values()))


def _proposal(proposal: Proposal) -> JSONValue:
    """Give a proposal, without the fields that few proposals have where it has none of them."""
    fields: dict[str, JSONValue] = {name: getattr(proposal, name) for name in _PROPOSAL}
    fields["usage"] = attrs.asdict(proposal.usage)
    fields["edits"] = {
        name: [[edit.search, edit.replace] for edit in edits] for name, edits in proposal.edits.items()
    }
    for name in ("edits", "truncated", "requested_model"):
        if not fields[name]:
            del fields[name]
    return fields


def _plain(outcome: object) -> JSONValue:
    if isinstance(outcome, Proposal):
        return _proposal(outcome)
    if isinstance(outcome, tuple):
        return [_plain(row) for row in outcome]
    if not attrs.has(type(outcome)):
        raise InvariantError(f"{type(outcome).__name__} cannot be journalled")
    fields: dict[str, JSONValue] = attrs.asdict(outcome)  # type: ignore[arg-type]
    return fields


@attrs.define
class Encoded:
    """An input as the journal keeps it; one is made for every rollout, so it is light.

    Attributes:
        kind: What it is, such as ``rollout``.
        effect_id: The effect that it is the outcome of, if it is one.
        payload: JSON text.
    """

    kind: str
    effect_id: str | None
    payload: str


#: The first entry of every journal: the machine was started.
START = Encoded("start", None, "{}")


def encode_outcome(outcome: Outcome, effect_id: str | None = None) -> Encoded:
    """Encode an outcome.

    Raises:
        ValueError: It holds NaN or an infinity.
        TypeError: It holds what is not JSON.
    """
    if type(outcome) is RolloutResult:
        return Encoded("rollout", effect_id, _result_text(outcome))
    return Encoded(_KINDS[type(outcome)], effect_id, compact_json(_plain(outcome)))


def encode_control(control: Tick | Cancel | Abandoned | Extend) -> Encoded:
    """Encode an input that is no outcome."""
    fields = _extension(control) if isinstance(control, Extend) else _plain(control)
    return Encoded(_KINDS[type(control)], None, compact_json(fields))


def _extension(extend: Extend) -> JSONValue:
    return {"limits": extend.limits.fields(), "sets": extend.sets}


def decode_extension(payload: str) -> Extend:
    """Give an extension back, without its stoppers."""
    fields = json.loads(payload)
    return Extend(Limits(**fields["limits"]), tuple(fields["sets"]))


def attempt_usage(row: Sequence[Any]) -> Usage:
    """Give what an attempt consumed that another one took the place of, from its row."""
    prompt, completion, total, cost = row[-4:]
    return Usage(prompt, completion, total, None if cost is None else float(cost))


def _with_usage(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "usage": Usage(**fields["usage"])}


def _program(fields: dict[str, Any]) -> Program:
    components = tuple(_component(spec) for spec in fields["components"])
    return Program(**{**fields, "components": components, "targets": tuple(fields["targets"])})


def _component(fields: dict[str, Any]) -> ComponentSpec:
    return ComponentSpec(**{**fields, "template_variables": tuple(fields.get("template_variables", ()))})


def _decoded_proposal(fields: dict[str, Any]) -> Proposal:
    edits = {
        name: [Edit(search, replace) for search, replace in several]
        for name, several in fields.get("edits", {}).items()
    }
    return Proposal(**{**_with_usage(fields), "edits": edits})


def _failure(fields: dict[str, Any]) -> RolloutFailure:
    return RolloutFailure(**{**_with_usage(fields), "kind": FailureKind(fields["kind"])})


_OUTCOMES: Mapping[str, Callable[[Any], Outcome]] = {
    "metadata": lambda fields: ContainerInfo(**fields),
    "program": _program,
    "rows": lambda rows: tuple(TaskRow(**row) for row in rows),
    "rollout": lambda fields: RolloutResult(**_with_usage(fields)),
    "rollout_failure": _failure,
    "proposal": _decoded_proposal,
    "proposal_failure": lambda fields: ProposalFailure(**_with_usage(fields)),
}


def decode_outcome(kind: str, payload: str) -> Outcome:
    """Give the outcome back that was encoded."""
    return _OUTCOMES[kind](json.loads(payload))


def decode(encoded: Encoded, superseded: tuple[Usage, ...] = ()) -> Input | None:
    """Give the input back that was encoded; ``None`` for the start.

    Args:
        encoded: As the journal keeps it.
        superseded: What the attempts before it consumed, which the journal keeps in rows of their own.
    """
    if encoded.kind == "start":
        return None
    if encoded.kind == "tick":
        return Tick()
    if encoded.kind == "cancel":
        fields = json.loads(encoded.payload)
        return Cancel(fields["reason"], tuple(fields.get("begun", ())))
    if encoded.kind == "abandoned":
        return Abandoned(tuple(json.loads(encoded.payload)["effect_ids"]))
    if encoded.kind == "extend":
        return decode_extension(encoded.payload)
    return Completed(encoded.effect_id or "", decode_outcome(encoded.kind, encoded.payload), superseded)
