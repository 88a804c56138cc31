"""Proposals: what a proposer is told, and what it answers."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

from gepa_framework.types.candidate import Candidate, freeze_texts
from gepa_framework.types.json import EMPTY, JSONObject, JSONValue, freeze_mapping
from gepa_framework.types.rollout import RolloutFailure, freeze_scores
from gepa_framework.types.task import Program
from gepa_framework.types.usage import UNKNOWN, Usage


class FrameKind(enum.StrEnum):
    """What a rollout was for its candidate."""

    LOSS = "loss"
    WIN = "win"
    FAILURE = "failure"


def _plain_kind(frame: EvidenceFrame) -> FrameKind:
    if frame.failure is not None or frame.reward is None:
        return FrameKind.FAILURE
    return FrameKind.WIN if frame.reward >= 1 else FrameKind.LOSS


@attrs.frozen
class EvidenceFrame:
    """What one rollout of the parent on one training row showed.

    Attributes:
        row_id: The row.
        inputs: The row as the container serves it.
        reward: The score; ``None`` when the rollout failed.
        output: What the parent produced.
        feedback: What the container says about it besides `rationales` and `side_info`.
        objectives: Further named scores.
        failure: Why there is no score, when there is none.
        metrics: Named terms of the reward.
        rationales: Objective name to why it was scored so.
        side_info: What the container thinks helps to improve the candidate.
        trace_digest: SHA-256 of the container's trace, where it gave one.
        kind: Judged by the run's perfect score, or by the minibatch where there is none; by a reward of 1
            where nobody says.
        count: Rollouts of the minibatch with these very inputs, output and reward.
        cut: Fields of which a part was left out.
    """

    row_id: str
    inputs: JSONObject = attrs.field(converter=freeze_mapping)
    reward: float | None
    output: JSONValue = None
    feedback: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)
    objectives: Mapping[str, float] = attrs.field(factory=dict, converter=freeze_scores)
    failure: RolloutFailure | None = None
    metrics: Mapping[str, float] = attrs.field(factory=dict, converter=freeze_scores)
    rationales: Mapping[str, str] = attrs.field(factory=dict, converter=freeze_texts)
    side_info: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)
    trace_digest: str = ""
    kind: FrameKind = attrs.field(default=attrs.Factory(_plain_kind, takes_self=True))
    count: int = 1
    cut: tuple[str, ...] = ()


@attrs.frozen
class LeftOut:
    """What a request does not say of the minibatch, for lack of room.

    Attributes:
        frames: Frames that are missing, each with its equals counted once.
        losses: Those of them that are losses or failures.
        wins: Those of them that are wins.
        bytes: Bytes of canonical JSON that are missing: of whole frames, and of fields that were cut.
    """

    frames: int = 0
    losses: int = 0
    wins: int = 0
    bytes: int = 0


@attrs.frozen
class LineageStep:
    """A candidate on the way from the seed to the parent.

    Attributes:
        candidate_id: The candidate.
        iteration: When it joined the pool; 0 for the seed.
        changed: Components whose text is not that of the candidate before it.
        rationale: Why it was proposed; the end of a long one is left out.
        score: Its mean reward on the Pareto rows.
        best: The best mean reward of the pool once it had joined.
    """

    candidate_id: str
    iteration: int
    changed: tuple[str, ...] = ()
    rationale: str = ""
    score: float | None = None
    best: float | None = None


@attrs.frozen
class RejectedAttempt:
    """An earlier proposal from the parent or an ancestor of it that did not get in, and why.

    Attributes:
        candidate_id: The candidate that it would have been.
        changes: Component name to the text that was tried.
        reason: Why it was refused.
        before: The mean reward, on the rows compared, of what it was proposed from; ``None`` where none were.
        after: The child's mean reward on the same rows; ``None`` where none were.
        parent_id: The ancestor that it was proposed from; empty where that is the parent.
    """

    candidate_id: str
    changes: Mapping[str, str] = attrs.field(converter=freeze_texts)
    reason: str
    before: float | None = None
    after: float | None = None
    parent_id: str = ""


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
class Joined:
    """A candidate that joined the pool while a proposal was being written.

    Attributes:
        candidate_id: Its id.
        iteration: When it joined.
        score: Its mean reward on the Pareto set.
        changes: Component name to its text, for those that differ from the parent of the proposal.
    """

    candidate_id: str
    iteration: int
    score: float
    changes: Mapping[str, str] = attrs.field(converter=freeze_texts)


@attrs.frozen
class Overtaken:
    """Others joined the pool while the answer to this very request was being written.

    Whoever is asked again says whether it still holds: the same texts, better ones, or none.

    Attributes:
        texts: Component name to text, as answered first.
        joined: The latest of those that joined since, oldest first.
    """

    texts: Mapping[str, str] = attrs.field(converter=freeze_texts)
    joined: tuple[Joined, ...]


@attrs.frozen
class ProposalRequest:
    """Everything that a proposer may know. A proposer keeps nothing between calls.

    Attributes:
        proposal_id: Unique within the run and deterministic.
        iteration: 1-based.
        parent: The candidate to improve.
        components: Names of the components that may be changed.
        evidence: How the parent did on the minibatch; training rows only.
        rejected: The latest refused attempts from this parent and its ancestors; the parent's last, and of
            one candidate's the latest last.
        program: The program that the components belong to.
        task: The container's description of its task; may be empty.
        seed: 64 bits for a proposer that draws lots.
        repair: Why the first answer was refused, when this asks for another one.
        overtaken: What has changed since the first answer was asked for, when this asks for another one.
        left_out: What of the minibatch is not in `evidence`.
        lineage: The way from the seed to the parent, both included; the middle of a long one is left out.
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
    overtaken: Overtaken | None = None
    left_out: LeftOut = LeftOut()
    lineage: tuple[LineageStep, ...] = ()


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
