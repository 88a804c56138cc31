"""Hypothesis strategies for the values that plugins are given and give."""

from __future__ import annotations

import string
from typing import Any

import attrs
from hypothesis import strategies as st

from gepa_framework.testing.samples import sample_program, sample_rows
from gepa_framework.types import (
    EVENT_TYPES,
    Candidate,
    Event,
    EventBody,
    EvidenceFrame,
    FailureKind,
    JSONObject,
    JSONValue,
    Proposal,
    ProposalRequest,
    RolloutFailure,
    RolloutOutcome,
    RolloutRequest,
    RolloutResult,
    Rows,
    RunView,
    Stage,
    TaskRow,
    Usage,
)

_MOST = 2**53
_FINITE: dict[str, Any] = {"allow_nan": False, "allow_infinity": False}


def names() -> st.SearchStrategy[str]:
    """Names of components, objectives, models."""
    return st.text(string.ascii_lowercase + "_", min_size=1, max_size=12)


def texts() -> st.SearchStrategy[str]:
    """Texts as a model writes them; no halves of characters."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def scores() -> st.SearchStrategy[float]:
    """Rewards: finite, most of them between 0 and 1."""
    return st.floats(0, 1) | st.floats(-1e6, 1e6, **_FINITE)


def json_values() -> st.SearchStrategy[JSONValue]:
    """JSON of a few levels."""
    scalars = st.none() | st.booleans() | st.integers(-_MOST, _MOST) | st.floats(**_FINITE) | texts()
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names(), inner, max_size=3),
        max_leaves=6,
    )


def json_objects() -> st.SearchStrategy[JSONObject]:
    """JSON objects."""
    return st.dictionaries(names(), json_values(), max_size=3)


def candidates() -> st.SearchStrategy[Candidate]:
    """Candidates of one to four components."""
    return st.dictionaries(names(), texts(), min_size=1, max_size=4).map(Candidate.of)


def usages() -> st.SearchStrategy[Usage]:
    """Usages, any part of which may be unknown."""
    tokens = st.none() | st.integers(0, _MOST)
    costs = st.none() | st.floats(0, 1e6, **_FINITE)
    return st.builds(Usage, tokens, tokens, tokens, costs, st.none() | names())


def rows(split: str = "train") -> st.SearchStrategy[TaskRow]:
    """Rows of a split."""
    return st.builds(
        lambda number, data: TaskRow(f"{split}:{number}", split, data, number),
        st.integers(0, _MOST),
        json_objects(),
    )


def rollout_requests() -> st.SearchStrategy[RolloutRequest]:
    """Requests of rollouts."""
    return st.builds(
        RolloutRequest,
        names(),
        candidates(),
        rows(),
        st.sampled_from(Stage),
        names(),
        poll_first=st.booleans(),
    )


def results() -> st.SearchStrategy[RolloutResult]:
    """Rollouts that were scored."""
    numbers = st.dictionaries(names(), scores(), max_size=3)
    return st.builds(
        RolloutResult,
        reward=scores(),
        objectives=numbers,
        metrics=numbers,
        output=json_values(),
        feedback=json_objects(),
        usage=usages(),
        side_info=json_objects(),
    )


def failures() -> st.SearchStrategy[RolloutFailure]:
    """Rollouts that gave no score."""
    return st.builds(
        RolloutFailure,
        st.sampled_from(FailureKind),
        names(),
        texts(),
        st.booleans(),
        st.none() | st.integers(400, 599),
        st.none() | st.floats(0, 3600),
        usages(),
    )


def outcomes() -> st.SearchStrategy[RolloutOutcome]:
    """Whatever may come of a rollout."""
    return results() | failures()


def frames(inputs: st.SearchStrategy[JSONObject] | None = None) -> st.SearchStrategy[EvidenceFrame]:
    """Frames of evidence.

    Args:
        inputs: What stands in the rows, for a proposer that knows a task.
    """
    return st.builds(
        EvidenceFrame,
        st.integers(0, 999).map("train:{}".format),
        json_objects() if inputs is None else inputs,
        st.none() | scores(),
        json_values(),
        json_objects(),
    )


def proposal_requests(
    evidence: st.SearchStrategy[EvidenceFrame] | None = None,
) -> st.SearchStrategy[ProposalRequest]:
    """Requests of proposals, each for a program that has the parent's components."""

    def ask(parent: Candidate, shown: list[EvidenceFrame], iteration: int, seed: int) -> ProposalRequest:
        return ProposalRequest(
            proposal_id=f"proposal-{iteration}",
            iteration=iteration,
            parent=parent,
            components=tuple(parent.components),
            evidence=tuple(shown),
            rejected=(),
            program=sample_program(seed=parent.components, targets=tuple(parent.components)),
            seed=seed,
        )

    shown = st.lists(frames() if evidence is None else evidence, max_size=4)
    return st.builds(ask, candidates(), shown, st.integers(1, 1000), st.integers(0, 2**64 - 1))


def proposals() -> st.SearchStrategy[Proposal]:
    """Proposals that write texts anew."""
    written = st.dictionaries(names(), texts(), max_size=3)
    return st.builds(Proposal, written, texts(), usages(), st.none() | names(), json_objects())


def run_views() -> st.SearchStrategy[RunView]:
    """Where a run may stand; costs, tokens and scores may be unknown."""
    counts = st.integers(0, 10**6)
    return st.builds(
        RunView,
        iteration=counts,
        rollouts=counts,
        candidates=counts,
        best_candidate_id=names(),
        best_score=st.none() | scores(),
        iterations_since_improvement=counts,
        elapsed_seconds=st.floats(0, 1e9),
        cost_usd=st.none() | st.floats(0, 1e9),
        total_tokens=st.none() | counts,
        proposals=counts,
        in_flight=counts,
    )


def bodies(type_: str) -> st.SearchStrategy[EventBody]:
    """Bodies of one type of event; each field has any value of its type."""
    fields = {field.name: _fields()[str(field.type)] for field in attrs.fields(EVENT_TYPES[type_])}
    return st.builds(EVENT_TYPES[type_], **fields)


def events() -> st.SearchStrategy[Event]:
    """Events of any type, numbered at random."""
    any_body = st.sampled_from(sorted(EVENT_TYPES)).flatmap(bodies)
    return st.builds(Event, st.integers(1, _MOST), st.floats(0, 1e9), any_body)


def _fields() -> dict[str, st.SearchStrategy[Any]]:
    """Give values for the fields of events, by their annotation."""
    counts, numbers = st.integers(0, _MOST), scores()
    scalars = st.none() | st.booleans() | counts | numbers | texts()
    plain = {"str": texts(), "int": counts, "float": numbers}
    values = {**plain, "float | None": st.none() | numbers, "JSONScalar": scalars}
    return {
        **values,
        **{f"{name} | None": st.none() | strategy for name, strategy in plain.items()},
        **{f"Mapping[str, {name}]": _tables(strategy) for name, strategy in values.items()},
        "tuple[str, ...]": st.lists(names(), max_size=3).map(tuple),
        "JSONObject": json_objects(),
    }


def _tables(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(names(), values, max_size=3)


def journals(most: int = 6) -> st.SearchStrategy[list[Rows]]:
    """What the transactions of a journal add, in their order.

    Args:
        most: How many transactions there may be.
    """
    return st.integers(0, most).map(lambda count: [sample_rows(number) for number in range(1, count + 1)])
