"""The fake proposer as a plugin."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import BuildContext, Kind, NoConfig, PluginInfo, Proposer

plugin_info = PluginInfo(kind=Kind.PROPOSER, name="fake", api=">=1.0,<2", summary="Learns by arithmetic.")


@hookimpl
def gepa_make_proposer(config: NoConfig, context: BuildContext) -> Proposer:
    """Build it."""
    return FakeProposer()
