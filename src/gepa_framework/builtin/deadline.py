"""Stopper ``deadline``: ends the search after a time."""

from __future__ import annotations

import attrs

from gepa_framework.builtin.fields import finite
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Capability, Kind, PluginInfo, RunView, StopReason


@attrs.frozen
class DeadlineConfig:
    """Keys of a ``[[stoppers]]`` entry with ``use = "deadline"``."""

    seconds: float = attrs.field(
        validator=attrs.validators.and_(finite, attrs.validators.gt(0.0)),
        metadata={"help": "Seconds that the run may be worked on; pauses between resumptions do not count."},
    )


@attrs.frozen
class Deadline:
    """Stops once the run has been worked on for so long."""

    seconds: float

    def check(self, view: RunView) -> StopReason | None:
        """Give the reason once the time is up."""
        if view.elapsed_seconds < self.seconds:
            return None
        worked = view.elapsed_seconds
        message = f"The run has been worked on for {worked:.1f} s, the deadline is {self.seconds:g} s."
        return StopReason("deadline", self.seconds, worked, message)


plugin_info = PluginInfo(
    kind=Kind.STOPPER,
    name="deadline",
    api=">=1.0,<2",
    config=DeadlineConfig,
    capabilities=frozenset({Capability.WATCHES_CLOCK, Capability.DETERMINISTIC}),
    summary="Stops when the run has been worked on for a given time.",
)


@hookimpl
def gepa_make_stopper(config: DeadlineConfig) -> Deadline:
    """Build the stopper."""
    return Deadline(config.seconds)
