"""The plugins that commands are carried out with, and what holds for their calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from gepa_framework.runtime.aimd import Aimd, AimdRule
from gepa_framework.runtime.gate import Gate
from gepa_framework.runtime.limits import CallLimits
from gepa_framework.runtime.retry import RetryPolicy
from gepa_framework.types import Executor, JSONObject, Proposer, Transport

_NO_LIMIT: Final = 1_000_000


@attrs.frozen
class World:
    """The plugins that commands are carried out with.

    Attributes:
        run_id: What rollout ids are derived from.
        transport: Speaks to the container.
        proposer: Writes candidates.
        executor: Runs the calls; in place where ``None``.
        retry: How failed rollouts are tried again.
        policy: Sent with each rollout.
        redact: Takes secrets out of what plugins say, before it is on record.
        keep_substituted: Whether a proposal of another model than the one asked for is an answer to keep.
        limits: How long a call may take.
        gate: How many rollouts the container bears at once.
        owners: Whose transport, proposer and executor are, in the words of errors.
    """

    run_id: str
    transport: Transport
    proposer: Proposer
    retry: RetryPolicy
    policy: JSONObject
    executor: Executor | None = None
    redact: Callable[[str], str] = str
    keep_substituted: bool = False
    limits: CallLimits = attrs.field(factory=CallLimits)
    gate: Gate = attrs.field(factory=lambda: Gate(Aimd(AimdRule.fixed(_NO_LIMIT))))
    owners: Mapping[str, str] = attrs.field(factory=dict)

    def owner(self, name: str) -> str:
        """Say whose the transport, proposer or executor is; no more than that where nobody knows."""
        return self.owners.get(name, f"the {name}")
