"""How much a driver does at once, and how long it waits."""

from __future__ import annotations

import attrs


@attrs.frozen
class Pace:
    """How much at once, and how long for.

    Attributes:
        rollouts: Rollouts under way at once.
        proposals: Proposals under way at once.
        setup: Set-up calls under way at once.
        tick_seconds: How often the machine is told the time; never where ``None``.
        grace_seconds: How long what is under way may take to finish after an interrupt.
        quiet_seconds: How long nothing may come in until operators are told what the run waits for.
    """

    rollouts: int = 8
    proposals: int = 1
    setup: int = 1
    tick_seconds: float | None = None
    grace_seconds: float = 5.0
    quiet_seconds: float = 120.0
