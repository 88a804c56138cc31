"""The plan: everything that a run is decided by, before it begins."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from gepa_framework.types import JSONObject, JSONScalar, RowsRequest
from gepa_framework.types.json import EMPTY


class FailedRollouts(enum.StrEnum):
    """What a rollout that gave no score counts as."""

    EXCLUDE_PAIRED = "exclude_paired"
    """Its row leaves both sides of a comparison, and its Pareto cell stays empty."""
    SCORE_ZERO = "score_zero"
    """A reward of zero."""
    STOP = "stop"
    """The end of the run."""


class ComponentRule(enum.StrEnum):
    """Which components one proposal may change."""

    ALL = "all"
    ROUND_ROBIN = "round_robin"


@attrs.frozen
class Limits:
    """Hard limits; ``None`` means none.

    Attributes:
        train_rollouts: Rollouts that the search may use, the seed's evaluation included.
        heldout_rollouts: Rollouts set aside for the heldout rows from the start.
        iterations: Iterations of the search.
        seconds: Time worked on the run.
        cost_usd: US dollars.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written.
        total_tokens: Tokens in all.
    """

    train_rollouts: int
    heldout_rollouts: int
    iterations: int | None = None
    seconds: float | None = None
    cost_usd: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None

    def fields(self) -> Mapping[str, JSONScalar]:
        """Give the limits by name, those that are set."""
        return MappingProxyType({k: v for k, v in attrs.asdict(self).items() if v is not None})


@attrs.frozen
class Selecting:
    """How parents are selected; see `gepa_framework._core.select`.

    Attributes:
        rule: Its name.
        epsilon: Probability of exploring, for ``epsilon_greedy``.
        k: How many of the best are left, for ``top_k_pareto``.
        best_floor: Least probability of the best candidate, for the pareto rules.
        batch: Cells in a batch, for ``batch_lexicase``.
    """

    rule: str = "pareto"
    epsilon: float = 0.1
    k: int = 5
    best_floor: float = 0.0
    batch: int = 10


@attrs.frozen
class Accepting:
    """How children are judged; see `gepa_framework._core.accept`.

    Attributes:
        rule: Its name.
        margin: Mean reward by which a child must be better.
        confidence: What ``paired`` and ``sequential`` keep from accepting a child that is no better.
        power: What ``sequential`` keeps from rejecting early a child with the win rate.
        win_rate: On which share of the rows that differ a child worth accepting wins.
        max_rows: Rows after which ``sequential`` gives a child up.
    """

    rule: str = "strict_improvement"
    margin: float = 0.0
    confidence: float = 0.8
    power: float = 0.4
    win_rate: float = 0.625
    max_rows: int = 96


@attrs.frozen
class Sampling:
    """How minibatches are drawn.

    Attributes:
        rule: ``epoch_shuffled``, ``ordered``, ``stratified`` or ``failure_weighted``.
        field: Dotted path into a row's data, for ``stratified``.
        floor: Weight of a row that nobody misses, for ``failure_weighted``.
    """

    rule: str = "epoch_shuffled"
    field: str = "metadata.difficulty"
    floor: float = 0.1


@attrs.frozen
class EvidenceLimits:
    """How much a proposer is shown of a minibatch.

    Attributes:
        max_bytes: Bytes of all frames together, as a canonical JSON array.
        max_frame_bytes: Bytes of one frame.
        max_frames: Frames; as many as fit where ``None``.
    """

    max_bytes: int = 65_536
    max_frame_bytes: int = 16_384
    max_frames: int | None = None


@attrs.frozen
class Leakage:
    """What is done about proposals that quote rows.

    Attributes:
        policy: ``forbid``, ``warn`` or ``allow``.
        min_span_chars: Characters from which on a common span is a quotation.
    """

    policy: str = "forbid"
    min_span_chars: int = 32


@attrs.frozen
class Plan:
    """What the machine is built from. Equal plans and equal inputs give equal runs.

    Attributes:
        seed: The only source of randomness.
        train: The training rows.
        heldout: The heldout rows, never shown to a proposer.
        limits: Hard limits.
        seed_candidate: Texts to start from; those of the program where ``None``.
        target_modules: Components to improve, by name or by module; the program's targets where empty.
        candidate_prefix: What candidate ids begin with.
        pareto: Ids of the training rows that candidates are scored on; all where empty.
        minibatch_pool: Ids of the training rows that minibatches are drawn from; all where empty.
        minibatch_size: Rows in a minibatch.
        selecting: How parents are selected.
        accepting: How children are judged.
        sampling: How minibatches are drawn.
        frontier: What its cells stand for: ``instance``, ``objective``, ``hybrid`` or ``cartesian``.
        objectives: Objective name to ``maximize`` or ``minimize``, in the frontier's order.
        failed_rollouts: What a rollout without a score counts as.
        failure_tolerance: Share of the latest rollouts that may fail before the run gives up.
        perfect_score: Reward that cannot be bettered; 1.0 where ``None``, until a higher one is seen.
        component_rule: Which components one proposal may change.
        include_rejected: Refused attempts from a parent and its ancestors that the next proposal is shown.
        max_proposer_failures: Proposals that may fail in a row.
        config_digest: Digest of the configuration, for the record.
        policy: The ``[policy]`` table, sent with each rollout.
        evidence: How much a proposer is shown of a minibatch.
        leakage: What is done about proposals that quote rows.
    """

    seed: int
    train: RowsRequest
    heldout: RowsRequest
    limits: Limits
    seed_candidate: Mapping[str, str] | None = None
    target_modules: tuple[str, ...] = ()
    candidate_prefix: str = "gepa"
    pareto: tuple[str, ...] = ()
    minibatch_pool: tuple[str, ...] = ()
    minibatch_size: int = 8
    selecting: Selecting = Selecting()
    accepting: Accepting = Accepting()
    sampling: Sampling = Sampling()
    frontier: str = "instance"
    objectives: Mapping[str, str] = MappingProxyType({})
    failed_rollouts: FailedRollouts = FailedRollouts.EXCLUDE_PAIRED
    failure_tolerance: float = 0.25
    perfect_score: float | None = None
    component_rule: ComponentRule = ComponentRule.ALL
    include_rejected: int = 3
    max_proposer_failures: int = 5
    config_digest: str = ""
    policy: JSONObject = EMPTY
    evidence: EvidenceLimits = EvidenceLimits()
    leakage: Leakage = Leakage()
