"""The plan: everything that a run is decided by, before it begins."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from gepa_framework.engine.limits import Estimates, Limits
from gepa_framework.engine.prices import Prices
from gepa_framework.types import JSONObject, RowsRequest
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


class DeploymentRule(enum.StrEnum):
    """Which candidate a run gives as its best."""

    OPTIMIZATION_SELECTED = "optimization_selected"
    """The one with the best mean on the Pareto rows."""
    HELDOUT_BEST = "heldout_best"
    """The best on the heldout rows, of those that were measured there."""


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

    max_bytes: int = 262_144
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
class Pipelining:
    """How iterations overlap.

    Attributes:
        in_flight: Iterations under way at once; 1 for one after the other.
        evaluations: Full evaluations under way at once.
        staleness: What becomes of a proposal that was overtaken: ``full`` takes it as it is, ``guarded``
            drops it, ``reflective`` sends it back with what has changed since.
        delta_max: How many candidates may have joined the pool before a proposal counts as overtaken.
        speculative: Whether a child that can no longer be accepted stops costing rollouts.
    """

    in_flight: int = 1
    evaluations: int = 1
    staleness: str = "full"
    delta_max: int = 2
    speculative: bool = False


@attrs.frozen
class Generating:
    """What one iteration tries.

    Attributes:
        parents: Parents that are selected, each by a draw of its own.
        minibatches: Minibatches for each of them.
        proposals: Proposals for each parent and minibatch.
        keep: Which of the children that would be accepted are: ``all``, ``best`` or ``top_k``.
        k: How many of the best, for ``top_k``.
    """

    parents: int = 1
    minibatches: int = 1
    proposals: int = 1
    keep: str = "all"
    k: int = 1

    @property
    def children(self) -> int:
        """Proposals of one iteration."""
        return self.parents * self.minibatches * self.proposals

    @property
    def kept(self) -> int:
        """Children that may join the pool in one iteration."""
        return {"all": self.children, "best": 1}.get(self.keep, min(self.k, self.children))


@attrs.frozen
class Merging:
    """How complementary candidates are merged.

    Attributes:
        every: Candidates accepted between two merges; ``None`` for no merge.
        max: Merges that a run may try; ``None`` for no limit of their own.
        rows: Pareto rows that a merged child is checked on.
    """

    every: int | None = None
    max: int | None = None
    rows: int = 5


@attrs.frozen
class Weighing:
    """How named objectives weigh in a decision; see `gepa_framework._core.weigh_objectives`.

    Attributes:
        criterion: ``primary``, ``primary_or_objective``, ``any_objective_improved`` or
            ``protected_objective_guard``.
        min_delta: By how much the mean of an objective must be better to count.
        tolerance: By how much the mean of a protected objective may be worse.
        protected: Objectives that may not get worse.
    """

    criterion: str = "primary"
    min_delta: float = 0.05
    tolerance: float = 0.1
    protected: tuple[str, ...] = ()


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
        pipelining: How iterations overlap.
        generating: What one iteration tries.
        merging: How candidates are merged.
        weighing: How objectives weigh in a decision.
        estimates: What single calls are expected to take.
        prices: What tokens cost where nobody says.
        repair_turns: How often a proposer is asked again whose answer cannot be used: 0 or 1.
        deployment_rule: Which candidate the run gives as its best.
        verdict_confidence: What is kept from calling a candidate that is no better than the seed better.
        config_digest: Digest of the configuration, for the record.
        policy: The ``[policy]`` table, sent with each rollout.
        max_component_chars: Characters that a proposed text may have.
        allow_model_substitution: Whether another model may answer than the one that was asked for.
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
    pipelining: Pipelining = Pipelining()
    generating: Generating = Generating()
    merging: Merging = Merging()
    weighing: Weighing = Weighing()
    estimates: Estimates = attrs.field(factory=Estimates)
    prices: Prices = attrs.field(factory=Prices)
    repair_turns: int = 1
    deployment_rule: DeploymentRule = DeploymentRule.OPTIMIZATION_SELECTED
    verdict_confidence: float = 0.95
    config_digest: str = ""
    policy: JSONObject = EMPTY
    max_component_chars: int = 200_000
    allow_model_substitution: bool = False
    evidence: EvidenceLimits = EvidenceLimits()
    leakage: Leakage = Leakage()
