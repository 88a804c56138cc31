"""Proposals: what a proposer is told, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

from gepa_framework.types.candidate import Candidate, freeze_texts
from gepa_framework.types.json import EMPTY, JSONObject, JSONValue, freeze_mapping
from gepa_framework.types.rollout import RolloutFailure, freeze_scores
from gepa_framework.types.task import Program
from gepa_framework.types.usage import UNKNOWN, Usage


@attrs.frozen
class EvidenceFrame:
    """What one rollout of the parent on one training row showed.

    Attributes:
        row_id: The row.
        inputs: The row as the container serves it.
        reward: The score; ``None`` when the rollout failed.
        output: What the parent produced.
        feedback: What the container says about it.
        objectives: Further named scores.
        failure: Why there is no score, when there is none.
    """

    row_id: str
    inputs: JSONObject = attrs.field(converter=freeze_mapping)
    reward: float | None
    output: JSONValue = None
    feedback: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)
    objectives: Mapping[str, float] = attrs.field(factory=dict, converter=freeze_scores)
    failure: RolloutFailure | None = None


@attrs.frozen
class RejectedAttempt:
    """An earlier proposal from the same parent that did not get in, and why.

    Attributes:
        candidate_id: The candidate that it would have been.
        changes: Component name to the text that was tried.
        reason: Why it was refused.
        before: The parent's mean reward on the rows compared; ``None`` where none were.
        after: The child's mean reward on the same rows; ``None`` where none were.
    """

    candidate_id: str
    changes: Mapping[str, str] = attrs.field(converter=freeze_texts)
    reason: str
    before: float | None = None
    after: float | None = None


@attrs.frozen
class Repair:
    """What was wrong with the answer to this very request; the next answer is the last.

    Attributes:
        faults: Each a sentence.
        answer: The texts and edits of the refused answer, as JSON; the middle of a long one is left out.
    """

    faults: tuple[str, ...]
    answer: str


@attrs.frozen
class ProposalRequest:
    """Everything that a proposer may know. A proposer keeps nothing between calls.

    Attributes:
        proposal_id: Unique within the run and deterministic.
        iteration: 1-based.
        parent: The candidate to improve.
        components: Names of the components that may be changed.
        evidence: How the parent did on the minibatch; training rows only.
        rejected: The latest refused attempts from this parent, oldest first.
        program: The program that the components belong to.
        task: The container's description of its task; may be empty.
        seed: 64 bits for a proposer that draws lots.
        repair: Why the first answer was refused, when this asks for another one.
    """

    proposal_id: str
    iteration: int
    parent: Candidate
    components: tuple[str, ...]
    evidence: tuple[EvidenceFrame, ...]
    rejected: tuple[RejectedAttempt, ...]
    program: Program
    task: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)
    seed: int = 0
    repair: Repair | None = None


@attrs.frozen
class Edit:
    """A piece of a component's text, and what is to stand in its place.

    Attributes:
        search: Occurs exactly once in the text as the edits before this one have left it.
        replace: The new piece; empty to strike the old one.
    """

    search: str
    replace: str


def freeze_edits(value: Mapping[str, Iterable[Edit]]) -> Mapping[str, tuple[Edit, ...]]:
    """Give a read-only copy with its keys in order.

    Raises:
        TypeError: Something in it is no `Edit`.
    """
    edits = {name: tuple(value[name]) for name in sorted(value)}
    for name, several in edits.items():
        for edit in several:
            if not isinstance(edit, Edit):
                raise TypeError(f"edits[{name!r}] must hold Edit values, got {type(edit).__name__}")
    return MappingProxyType(edits)


@attrs.frozen
class Proposal:
    """What a proposer answers. A component that changes is named in `components` or in `edits`, not in both.

    Attributes:
        components: Component name to new text; empty, as `edits` is, when it declines.
        rationale: Why this should be better, for the record.
        usage: What the proposal consumed.
        model: The model that wrote it, where one did and says so.
        metadata: Whatever else belongs on the record.
        edits: Component name to edits of the parent's text, applied in their order.
        truncated: Whether the answer was cut off before its end; nothing of it is used then.
        requested_model: The model that was asked for, where one was.
    """

    components: Mapping[str, str] = attrs.field(factory=dict, converter=freeze_texts)
    rationale: str = ""
    usage: Usage = UNKNOWN
    model: str | None = None
    metadata: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)
    edits: Mapping[str, tuple[Edit, ...]] = attrs.field(factory=dict, converter=freeze_edits)
    truncated: bool = False
    requested_model: str | None = None

    @property
    def substituted(self) -> bool:
        """Whether another model answered than was asked for; a model that is not known is no other one."""
        return None not in (self.requested_model, self.model) and self.requested_model != self.model
