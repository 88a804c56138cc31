"""A proposer that improves what it is asked for, and fails now and then."""

from __future__ import annotations

import asyncio

import attrs

from gepa_framework.errors import ProposerError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import BuildContext, Kind, PluginInfo, Proposal, ProposalRequest, Proposer, Usage


@attrs.frozen
class StepwiseConfig:
    """One proposal in so many fails; none does for 0."""

    failing_every: int = 0


class Stepwise:
    """Raises levels; what it does follows from the request alone."""

    def __init__(self, config: StepwiseConfig) -> None:
        self._config = config

    async def propose(self, request: ProposalRequest) -> Proposal:
        await asyncio.sleep(0)
        usage = Usage(200, 20, 220, 0.05)
        if self._config.failing_every and request.seed % self._config.failing_every == 0:
            raise ProposerError("nothing came to mind", usage=usage)
        step = (1, 1, 2, -1)[request.seed % 4]
        parent = request.parent.components
        # As long as it was: long texts are kept otherwise than short ones.
        better = {
            name: str(max(0, int(parent[name]) + step)).ljust(len(parent[name]))
            for name in request.components
        }
        return Proposal(better, usage=usage)

    async def close(self) -> None: ...


plugin_info = PluginInfo(
    kind=Kind.PROPOSER, name="stepwise", api=">=1.0,<2", config=StepwiseConfig, summary="Steps upwards."
)


@hookimpl
def gepa_make_proposer(config: StepwiseConfig, context: BuildContext) -> Proposer:
    """Build it."""
    return Stepwise(config)
