"""A proposer of the skill task that fails while there is a file ``no-proposals``."""

from __future__ import annotations

from pathlib import Path

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import (
    BuildContext,
    Kind,
    NoConfig,
    PluginInfo,
    Proposal,
    ProposalRequest,
    Proposer,
    Usage,
)

_PRICE = Usage(prompt_tokens=100, completion_tokens=20, total_tokens=120, cost_usd=0.01)


class ScriptedProposer(FakeProposer):
    def __init__(self, refusal: Path) -> None:
        self._refusal = refusal

    async def propose(self, request: ProposalRequest) -> Proposal:
        if self._refusal.exists():
            raise RuntimeError("no proposals today")
        return attrs.evolve(await super().propose(request), usage=_PRICE)


plugin_info = PluginInfo(kind=Kind.PROPOSER, name="scripted", api=">=1.0,<2", summary="Learns by arithmetic.")


@hookimpl
def gepa_make_proposer(config: NoConfig, context: BuildContext) -> Proposer:
    """Build it."""
    return ScriptedProposer(context.base_dir / "no-proposals")
