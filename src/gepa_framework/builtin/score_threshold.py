"""Stopper ``score_threshold``: ends the search once a candidate is good enough."""

from __future__ import annotations

import attrs

from gepa_framework.builtin.fields import finite
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Capability, Kind, PluginInfo, RunView, StopReason


@attrs.frozen
class ScoreThresholdConfig:
    """Keys of a ``[[stoppers]]`` entry with ``use = "score_threshold"``."""

    score: float = attrs.field(
        validator=finite, metadata={"help": "Mean reward on the Pareto set that is good enough."}
    )


@attrs.frozen
class ScoreThreshold:
    """Stops once the best candidate's mean reward on the Pareto set is so high."""

    score: float

    def check(self, view: RunView) -> StopReason | None:
        """Give the reason once the best score has reached the threshold."""
        best = view.best_score
        if best is None or best < self.score:
            return None
        message = f"The best score is {best:.6g}, the threshold is {self.score:.6g}."
        return StopReason("score_threshold", self.score, best, message)


plugin_info = PluginInfo(
    kind=Kind.STOPPER,
    name="score_threshold",
    api=">=1.0,<2",
    config=ScoreThresholdConfig,
    capabilities=frozenset({Capability.DETERMINISTIC}),
    summary="Stops when the best candidate has reached a given score.",
)


@hookimpl
def gepa_make_stopper(config: ScoreThresholdConfig) -> ScoreThreshold:
    """Build the stopper."""
    return ScoreThreshold(config.score)
