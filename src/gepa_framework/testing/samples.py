"""Values by hand: a program, a row, a request, a journal, one event of each type. Keywords replace fields."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from typing import Any

import attrs

from gepa_framework.types import (
    EVENT_TYPES,
    Candidate,
    ComponentSpec,
    Effect,
    EffectKind,
    Event,
    EventBody,
    EvidenceFrame,
    FailureKind,
    Program,
    ProposalRequest,
    RolloutFailure,
    RolloutRequest,
    Rows,
    Stage,
    TaskRow,
    Usage,
)

TEXTS = {"system": "Answer {query}.\n", "style": "Be brief."}
#: A value for each type that a field of an event has, by its annotation.
_FIELDS: dict[str, Any] = {
    "str": "c1",
    "int": 1,
    "float": 0.5,
    "str | None": None,
    "int | None": None,
    "float | None": None,
    "tuple[str, ...]": ("r1", "r2"),
    "Mapping[str, str]": {"system": "Answer {query}."},
    "Mapping[str, float]": {"accuracy": 0.5},
    "Mapping[str, int]": {"loss": 1},
    "Mapping[str, float | None]": {"r1": None},
    "Mapping[str, JSONScalar]": {"max_total_rollouts": 100},
    "JSONScalar": 1,
    "JSONObject": {"name": "value"},
}


def sample_program(**changes: Any) -> Program:
    """Give a program of two components."""
    specs = (ComponentSpec("system", template_variables=("query",)), ComponentSpec("style"))
    return attrs.evolve(Program("program", "task", specs, ("system", "style"), TEXTS), **changes)


def sample_row(**changes: Any) -> TaskRow:
    """Give a row."""
    return attrs.evolve(TaskRow("train:1", "train", {"query": "2 + 2", "expected": "4"}), **changes)


def sample_rollout(**changes: Any) -> RolloutRequest:
    """Give the request of a rollout."""
    request = RolloutRequest("rollout-1", Candidate.of(TEXTS), sample_row(), Stage.CHILD, "task")
    return attrs.evolve(request, **changes)


def sample_request(**changes: Any) -> ProposalRequest:
    """Give the request of a proposal whose evidence has one row missed and one solved."""
    inputs = {"query": "2 + 2", "expected": "4"}
    request = ProposalRequest(
        proposal_id="proposal-1",
        iteration=1,
        parent=Candidate.of(TEXTS),
        components=("system", "style"),
        evidence=(
            EvidenceFrame("train:1", inputs, 0.0, "5", {"query": "2 + 2", "expected": "4"}),
            EvidenceFrame("train:2", {"query": "1 + 1", "expected": "2"}, 1.0, "2"),
        ),
        rejected=(),
        program=sample_program(),
        seed=7,
    )
    return attrs.evolve(request, **changes)


def sample_body(type_: str, **changes: Any) -> EventBody:
    """Give the body of an event of a type."""
    cls = EVENT_TYPES[type_]
    given = {field.name: deepcopy(_FIELDS[str(field.type)]) for field in attrs.fields(cls)}
    return cls(**{**given, **changes})


def sample_events() -> tuple[Event, ...]:
    """Give one event of each type there is, numbered from 1."""
    bodies = enumerate(map(sample_body, EVENT_TYPES), start=1)
    return tuple(Event(seq=seq, elapsed_seconds=seq / 8, body=body) for seq, body in bodies)


def sample_effects() -> tuple[Effect, ...]:
    """Give an effect of each kind, one that failed, and one that the cache knew."""
    began = 1_700_000_000_000_000_000
    late = RolloutFailure(FailureKind.TIMEOUT, "no_answer", "no answer came within 5 s")
    usage = Usage(100, 20, 120, 0.25, "model-1")
    rollout = Effect(
        "rollout/1/candidate_minibatch/c1/train/train:1",
        EffectKind.ROLLOUT,
        began,
        began + 5_000_000,
        iteration=1,
        stage=Stage.CHILD.value,
        candidate_id="c1",
        row_id="train:1",
        superseded=(late,),
        reward=0.5,
        usage=usage,
    )
    failed = attrs.evolve(
        rollout,
        effect_id="rollout/1/candidate_minibatch/c1/train/train:2",
        row_id="train:2",
        reward=None,
        failed="timeout",
        code="no_answer",
        message="no answer came within 5 s",
        usage=Usage(),
    )
    asked = ("container/metadata", "container/program", "container/rows/train")
    kinds = (EffectKind.DESCRIBE, EffectKind.PROGRAM, EffectKind.ROWS)
    return (
        *(Effect(name, kind, began, began) for name, kind in zip(asked, kinds, strict=True)),
        rollout,
        failed,
        attrs.evolve(rollout, effect_id="rollout/0/heldout/c1/heldout/h:1", iteration=0, cached=True),
        Effect(
            "proposal/1",
            EffectKind.PROPOSAL,
            began,
            began + 9_000_000_000,
            iteration=1,
            candidate_id="c1",
            usage=usage,
            model="model-1",
            requested_model="model-1",
        ),
    )


def sample_rows(transaction: int) -> Rows:
    """Give what one transaction of a journal adds: two inputs, one with an attempt, three events and a text.

    Args:
        transaction: Its number; transactions follow one another from 1.
    """
    position, seq = 2 * transaction - 1, 3 * transaction - 2
    text = f"text {transaction} é\n"
    return Rows(
        inputs=(
            (
                position,
                "rollout",
                f"effect-{position}",
                "d" * 64,
                position * 10,
                '{"é": 1}',
                "hit",
                b"\0\xff",
            ),
            (position + 1, "tick", None, None, position * 10, "", None, bytes(32)),
        ),
        attempts=(
            (
                f"effect-{position}",
                1,
                position,
                "transport",
                "connect",
                "nobody",
                None,
                None,
                None,
                None,
                None,
            ),
            (f"effect-{position}", 2, position, "ok", "", "", 200, 10, 2, 2**40, "0.25"),
        ),
        events=tuple(
            (seq + n, position, "gepa.run", 2**53 + n, f'{{"n":{n}}}', bytes([n])) for n in range(3)
        ),
        blobs={hashlib.sha256(text.encode()).hexdigest(): text},
    )
