"""Stopper ``no_improvement``: ends a search that gets nowhere."""

from __future__ import annotations

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Capability, Kind, PluginInfo, RunView, StopReason


@attrs.frozen
class NoImprovementConfig:
    """Keys of a ``[[stoppers]]`` entry with ``use = "no_improvement"``."""

    iterations: int = attrs.field(
        validator=attrs.validators.gt(0),
        metadata={"help": "Iterations in a row without a higher best score after which the search ends."},
    )


@attrs.frozen
class NoImprovement:
    """Stops once the best score has stood still for so many iterations."""

    iterations: int

    def check(self, view: RunView) -> StopReason | None:
        """Give the reason once patience is at its end."""
        waited = view.iterations_since_improvement
        if waited < self.iterations:
            return None
        message = f"The best score has not risen for {waited} iterations, the limit is {self.iterations}."
        return StopReason("no_improvement", self.iterations, waited, message)


plugin_info = PluginInfo(
    kind=Kind.STOPPER,
    name="no_improvement",
    api=">=1.0,<2",
    config=NoImprovementConfig,
    capabilities=frozenset({Capability.DETERMINISTIC}),
    summary="Stops when the best score has not risen for a given number of iterations.",
)


@hookimpl
def gepa_make_stopper(config: NoImprovementConfig) -> NoImprovement:
    """Build the stopper."""
    return NoImprovement(config.iterations)
