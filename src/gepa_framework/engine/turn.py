"""A turn of the search: one iteration, with what it may draw and spend."""

from __future__ import annotations

import attrs

from gepa_framework.engine.budget import Purse


@attrs.frozen(eq=False)
class Turn:
    """One iteration.

    Attributes:
        number: 1-based; 0 for what is done before and after the search.
        minibatch: How many minibatches were drawn before its own.
        version: Candidates in the pool when it began.
        purse: What it may spend; the run's own where ``None``.
    """

    number: int
    minibatch: int = 0
    version: int = 0
    purse: Purse | None = None


#: What belongs to no iteration: the seed's evaluation and the heldout rows.
OUTSIDE = Turn(0)
