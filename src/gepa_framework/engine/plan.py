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
        selection: The rule that parents are selected by.
        acceptance: The rule that children are accepted by.
        acceptance_margin: Mean reward by which a child must be better.
        failed_rollouts: What a rollout without a score counts as.
        failure_tolerance: Share of the latest rollouts that may fail before the run gives up.
        perfect_score: Reward that cannot be bettered; 1.0 where ``None``, until a higher one is seen.
        component_rule: Which components one proposal may change.
        include_rejected: Refused attempts that the next proposal from the same parent is shown.
        max_proposer_failures: Proposals that may fail in a row.
        config_digest: Digest of the configuration, for the record.
        policy: The ``[policy]`` table, sent with each rollout.
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
    selection: str = "pareto"
    acceptance: str = "strict_improvement"
    acceptance_margin: float = 0.0
    failed_rollouts: FailedRollouts = FailedRollouts.EXCLUDE_PAIRED
    failure_tolerance: float = 0.25
    perfect_score: float | None = None
    component_rule: ComponentRule = ComponentRule.ALL
    include_rejected: int = 3
    max_proposer_failures: int = 5
    config_digest: str = ""
    policy: JSONObject = EMPTY
