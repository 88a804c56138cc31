"""A turn of the search: one iteration, with what it may draw and spend."""

from __future__ import annotations

import attrs


@attrs.frozen
class Turn:
    """One iteration.

    Attributes:
        number: 1-based; 0 for what is done before and after the search.
        minibatch: How many minibatches were drawn before its own.
    """

    number: int
    minibatch: int = 0


#: What belongs to no iteration: the seed's evaluation and the heldout rows.
OUTSIDE = Turn(0)
