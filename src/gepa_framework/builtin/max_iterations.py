"""Stopper ``max_iterations``: ends the search after a number of iterations."""

from __future__ import annotations

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Capability, Kind, PluginInfo, RunView, StopReason


@attrs.frozen
class MaxIterationsConfig:
    """Keys of a ``[[stoppers]]`` entry with ``use = "max_iterations"``."""

    iterations: int = attrs.field(
        validator=attrs.validators.gt(0),
        metadata={"help": "Iterations after which the search ends, skipped ones included."},
    )


@attrs.frozen
class MaxIterations:
    """Stops once so many iterations are finished."""

    iterations: int

    def check(self, view: RunView) -> StopReason | None:
        """Give the reason once the last iteration is finished."""
        if view.iteration < self.iterations:
            return None
        message = f"{view.iteration} iterations are finished, the limit is {self.iterations}."
        return StopReason("max_iterations", self.iterations, view.iteration, message)


plugin_info = PluginInfo(
    kind=Kind.STOPPER,
    name="max_iterations",
    api=">=1.0,<2",
    config=MaxIterationsConfig,
    capabilities=frozenset({Capability.DETERMINISTIC}),
    summary="Stops after a given number of iterations.",
)


@hookimpl
def gepa_make_stopper(config: MaxIterationsConfig) -> MaxIterations:
    """Build the stopper."""
    return MaxIterations(config.iterations)
