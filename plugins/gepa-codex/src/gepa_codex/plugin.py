"""The plugin as the framework finds it: ``[proposer] backend = "codex_app_server"``."""

from __future__ import annotations

from gepa_codex.config import CodexProposerConfig
from gepa_codex.proposer import CodexProposer
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import BuildContext, Capability, Kind, PluginInfo, Proposer

plugin_info = PluginInfo(
    kind=Kind.PROPOSER,
    name="codex_app_server",
    api=">=1.0,<2",
    config=CodexProposerConfig,
    capabilities=frozenset({Capability.CONCURRENT}),
    summary="Asks a model for better component texts through a local codex app-server.",
)


@hookimpl
def gepa_make_proposer(config: CodexProposerConfig, context: BuildContext) -> Proposer:
    """Build the proposer; the app-server is looked for and started by the first proposal."""
    return CodexProposer(config, context)
