"""Events: the one account of a run, as a tagged union.

A body holds logical identities and JSON values only: no clock, no path, no address. That is why two runs of
one configuration and seed have the same events, whatever their concurrency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

import attrs

from gepa_framework.types.json import JSONObject, JSONScalar, JSONValue


@attrs.frozen
class EventBody:
    """Base of all event bodies."""

    type: ClassVar[str] = ""


@attrs.frozen
class RunStarted(EventBody):
    """The run begins: what it is, in digests, and the limits that hold."""

    type = "gepa.run.started"
    seed: int
    config_digest: str
    limits: Mapping[str, JSONScalar]


@attrs.frozen
class ContractVerified(EventBody):
    """The container speaks a contract that is known."""

    type = "container.contract.verified"
    name: str
    contract: str
    digest: str


@attrs.frozen
class ProgramLoaded(EventBody):
    """The program is known and the configuration fits it."""

    type = "container.program.loaded"
    program_id: str
    task_id: str
    components: tuple[str, ...]
    targets: tuple[str, ...]
    digest: str


@attrs.frozen
class RowsLoaded(EventBody):
    """The rows of a split are known."""

    type = "dataset.rows.loaded"
    purpose: str
    split: str
    rows: tuple[str, ...]
    digest: str


@attrs.frozen
class CandidateRegistered(EventBody):
    """A candidate exists; whether it is any good is not known yet."""

    type = "candidate.registered"
    candidate_id: str
    parent_ids: tuple[str, ...]
    iteration: int
    source: str
    components: Mapping[str, str]
    changed: tuple[str, ...]
    rationale: str


@attrs.frozen
class RolloutCompleted(EventBody):
    """A rollout was scored."""

    type = "rollout.completed"
    candidate_id: str
    row_id: str
    stage: str
    iteration: int
    reward: float
    objectives: Mapping[str, float]
    cost_usd: float | None
    total_tokens: int | None


@attrs.frozen
class RolloutFailed(EventBody):
    """A rollout gave no score, retries included."""

    type = "rollout.failed"
    candidate_id: str
    row_id: str
    stage: str
    iteration: int
    kind: str
    code: str
    message: str


@attrs.frozen
class CandidateEvaluated(EventBody):
    """All rollouts of a candidate on the Pareto set are in."""

    type = "candidate.evaluated"
    candidate_id: str
    iteration: int
    score: float | None
    coverage: int
    rows: int
    stderr: float | None = None


@attrs.frozen
class IterationStarted(EventBody):
    """A parent was selected and a minibatch drawn."""

    type = "iteration.started"
    iteration: int
    parent_id: str
    rule: str
    rows: tuple[str, ...]


@attrs.frozen
class IterationSkipped(EventBody):
    """A parent gave nothing to learn from in an iteration, or its proposal changed nothing."""

    type = "iteration.skipped"
    iteration: int
    parent_id: str
    reason: str


@attrs.frozen
class ProposerStarted(EventBody):
    """A proposal was asked for, with so many frames of evidence, and so many of each kind."""

    type = "proposer.started"
    iteration: int
    parent_id: str
    components: tuple[str, ...]
    evidence: int
    request_digest: str
    kinds: Mapping[str, int] = MappingProxyType({})


@attrs.frozen
class ProposerCompleted(EventBody):
    """A proposal came back that can be used."""

    type = "proposer.completed"
    iteration: int
    parent_id: str
    changed: tuple[str, ...]
    model: str | None
    cost_usd: float | None
    total_tokens: int | None
    requested_model: str | None = None


@attrs.frozen
class ProposalRefused(EventBody):
    """A proposal came back that cannot be used; the proposer is told why and asked once more."""

    type = "proposal.refused"
    iteration: int
    parent_id: str
    turn: int
    reasons: tuple[str, ...]
    model: str | None
    requested_model: str | None
    cost_usd: float | None
    total_tokens: int | None


@attrs.frozen
class ProposerFailed(EventBody):
    """No usable proposal came back; nothing was rolled out."""

    type = "proposer.failed"
    iteration: int
    parent_id: str
    code: str
    message: str


@attrs.frozen
class ProposalOvertaken(EventBody):
    """Others joined the pool while a proposal was being written; it is dropped, or goes back once."""

    type = "proposal.overtaken"
    iteration: int
    parent_id: str
    joined: int
    action: str


@attrs.frozen
class CandidateDuplicateSkipped(EventBody):
    """The proposal equals a candidate that is known already; nothing was rolled out."""

    type = "candidate.duplicate_skipped"
    candidate_id: str
    iteration: int


@attrs.frozen
class MergeProposed(EventBody):
    """Two candidates that complement each other were merged; for each component whose text was taken."""

    type = "merge.proposed"
    iteration: int
    parent_ids: tuple[str, ...]
    ancestor_id: str
    sources: Mapping[str, str]


@attrs.frozen
class CandidateAccepted(EventBody):
    """The child beat its parent on the minibatch; the numbers say by how much.

    ``p`` is the probability of such a difference by luck, where the rule tests for it; ``evidence`` what a
    sequential rule had gathered; ``objective_deltas`` how named objectives changed, where they weigh in.
    """

    type = "candidate.accepted"
    candidate_id: str
    parent_id: str
    iteration: int
    rule: str
    before: float
    after: float
    delta: float
    rows: int
    p: float | None = None
    evidence: float | None = None
    criterion: str = "primary"
    objective_deltas: Mapping[str, float | None] = MappingProxyType({})


@attrs.frozen
class CandidateRejected(EventBody):
    """The child did not beat its parent on the minibatch."""

    type = "candidate.rejected"
    candidate_id: str
    parent_id: str
    iteration: int
    rule: str
    reason: str
    before: float | None
    after: float | None
    delta: float | None
    rows: int
    p: float | None = None
    evidence: float | None = None
    criterion: str = "primary"
    objective_deltas: Mapping[str, float | None] = MappingProxyType({})


@attrs.frozen
class FrontierUpdated(EventBody):
    """A candidate joined the pool; these cells are now owned or shared by it."""

    type = "frontier.updated"
    candidate_id: str
    iteration: int
    improved: tuple[str, ...]
    tied: tuple[str, ...]
    survivors: tuple[str, ...]
    best_candidate_id: str
    best_score: float
    best_stderr: float | None = None


@attrs.frozen
class StopDecided(EventBody):
    """The search is over, and why."""

    type = "gepa.stop"
    kind: str
    limit: JSONScalar
    value: JSONScalar
    message: str
    iteration: int


@attrs.frozen
class HeldoutStarted(EventBody):
    """The heldout rows are rolled out, once for each of these candidates."""

    type = "heldout.started"
    candidates: tuple[str, ...]
    rows: int
    skipped: tuple[str, ...] = ()
    reason: str = ""


@attrs.frozen
class HeldoutCompleted(EventBody):
    """A candidate's heldout score, with its standard error."""

    type = "heldout.completed"
    candidate_id: str
    role: str
    score: float | None
    stderr: float | None
    coverage: int
    rows: int


@attrs.frozen
class HeldoutVerdict(EventBody):
    """Whether the candidate that the search selected is better than the seed on the heldout rows."""

    type = "heldout.verdict"
    verdict: str
    candidate_id: str
    n: int
    differing: int
    mean_difference: float | None
    stderr: float | None
    p: float | None
    confidence: float
    reason: str


@attrs.frozen
class DeploymentDecided(EventBody):
    """Which candidate the run gives as its best, and by which rule."""

    type = "deployment.decided"
    candidate_id: str
    rule: str


@attrs.frozen
class RunFinished(EventBody):
    """The run ended as it should, a spent budget included.

    Cost and tokens are those of the outcomes on record; what had to be tried again is in the manifest.
    """

    type = "gepa.run.finished"
    best_candidate_id: str
    best_score: float | None
    iterations: int
    candidates: int
    rollouts: int
    failed_rollouts: int
    cost_usd: float | None
    total_tokens: int | None


@attrs.frozen
class RunFailed(EventBody):
    """The run could not go on."""

    type = "gepa.run.failed"
    error_code: str
    message: str
    details: JSONObject


@attrs.frozen
class RunCancelled(EventBody):
    """The run was told to end for good."""

    type = "gepa.run.cancelled"
    reason: str


@attrs.frozen
class WorkAbandoned(EventBody):
    """Work that had begun is not waited for any more, and paid for all the same."""

    type = "work.abandoned"
    rollouts: int
    proposals: int


@attrs.frozen
class RunExtended(EventBody):
    """Limits were raised; a search that one of them had ended goes on."""

    type = "gepa.run.extended"
    limits: Mapping[str, JSONScalar]
    sets: tuple[str, ...]


@attrs.frozen
class ProposalLeakWarned(EventBody):
    """A proposed text quotes a row, and `gepa.leakage` asks for no more than a warning."""

    type = "proposal.leak_warned"
    iteration: int
    parent_id: str
    component: str
    row_id: str
    span: str
    chars: int


EVENT_TYPES: Mapping[str, type[EventBody]] = {
    body.type: body
    for body in (
        RunStarted,
        ContractVerified,
        ProgramLoaded,
        RowsLoaded,
        CandidateRegistered,
        RolloutCompleted,
        RolloutFailed,
        CandidateEvaluated,
        IterationStarted,
        IterationSkipped,
        ProposerStarted,
        ProposerCompleted,
        ProposalRefused,
        ProposerFailed,
        ProposalOvertaken,
        CandidateDuplicateSkipped,
        MergeProposed,
        CandidateAccepted,
        CandidateRejected,
        FrontierUpdated,
        StopDecided,
        HeldoutStarted,
        HeldoutCompleted,
        HeldoutVerdict,
        DeploymentDecided,
        RunFinished,
        RunFailed,
        RunCancelled,
        WorkAbandoned,
        RunExtended,
        ProposalLeakWarned,
    )
}

_Names: TypeAlias = tuple[str, ...]


def _reader(names: _Names) -> Callable[[EventBody], tuple[Any, ...]]:
    """Give what reads all fields at once; there is an event for every rollout, so it is quick."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda body: tuple(getattr(body, name) for name in names)


def _names(body: type[EventBody]) -> _Names:
    return tuple(field.name for field in attrs.fields(body))


_FIELDS: Mapping[type[EventBody], tuple[_Names, Callable[[EventBody], tuple[Any, ...]]]] = {
    body: (_names(body), _reader(_names(body))) for body in EVENT_TYPES.values()
}

EventFields: TypeAlias = dict[str, JSONValue]


@attrs.frozen
class Event:
    """One event of a run.

    Attributes:
        seq: 1-based and gapless.
        elapsed_seconds: Time that the run had been worked on; not part of the normalised feed.
        body: What happened.
    """

    seq: int
    elapsed_seconds: float
    body: EventBody

    @property
    def type(self) -> str:
        """The event's type, such as ``candidate.accepted``."""
        return self.body.type


def body_fields(body: EventBody) -> EventFields:
    """Give the body's fields by name, all of them JSON values."""
    names, read = _FIELDS[type(body)]
    return dict(zip(names, read(body), strict=True))


def event_fields(event: Event) -> EventFields:
    """Give the event as the line of ``events.jsonl`` holds it."""
    return {
        "seq": event.seq,
        "elapsed_seconds": event.elapsed_seconds,
        "type": event.type,
        **body_fields(event.body),
    }
