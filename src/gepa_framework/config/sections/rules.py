"""The tables of the rules: ``[selection]`` and ``[acceptance]``."""

from __future__ import annotations

from typing import Literal

import attrs

from gepa_framework.config.checks import (
    below_one,
    fraction,
    not_negative,
    positive,
    strictly_between,
    unsigned_32,
)


@attrs.frozen
class SelectionSection:
    """``[selection]``: how a parent is chosen.

    Attributes:
        strategy: The rule.
        epsilon: Probability of anybody instead of the best, 0 to 1; for ``epsilon_greedy``.
        k: How many of the best are kept in the frontier; for ``top_k_pareto``.
        best_floor: Least probability of the best, from 0 to below 1; for the three pareto strategies.
        batch: Cells that are looked at together; for ``batch_lexicase``.
        frontier: What a cell is: a row, an objective, either, or each pair of them.
    """

    strategy: Literal[
        "pareto", "current_best", "pareto_unpruned", "epsilon_greedy", "top_k_pareto", "batch_lexicase"
    ] = "pareto"
    epsilon: float = attrs.field(default=0.1, validator=fraction)
    k: int = attrs.field(default=5, validator=[positive, unsigned_32])
    best_floor: float = attrs.field(default=0.0, validator=[not_negative, below_one])
    batch: int = attrs.field(default=10, validator=[positive, unsigned_32])
    frontier: Literal["instance", "objective", "hybrid", "cartesian"] = "instance"


@attrs.frozen
class AcceptanceSection:
    """``[acceptance]``: when a child joins the pool.

    Attributes:
        rule: How parent and child are compared on the minibatch.
        margin: By how much the mean must be better; at least 0.
        confidence: 1 less the chance of accepting a child that is no better, between 0.5 and 1; for
            ``paired`` and ``sequential``.
        power: Least chance that a child worth accepting is not given up early, between 0 and 1; for
            ``sequential``.
        win_rate: Share of the rows that differ on which a child worth accepting wins, between 0.5 and 1; for
            ``sequential``.
        max_rows: Rows at which a child that is still undecided is refused; for ``sequential``.
        criterion: What the objectives of ``gepa.objective_keys`` make of the comparison.
    """

    rule: Literal["strict_improvement", "improvement_or_equal", "paired", "sequential"] = "strict_improvement"
    margin: float = attrs.field(default=0.0, validator=not_negative)
    confidence: float = attrs.field(default=0.8, validator=strictly_between(0.5, 1))
    power: float = attrs.field(default=0.4, validator=strictly_between(0, 1))
    win_rate: float = attrs.field(default=0.625, validator=strictly_between(0.5, 1))
    max_rows: int = attrs.field(default=96, validator=positive)
    criterion: Literal[
        "primary", "primary_or_objective", "any_objective_improved", "protected_objective_guard"
    ] = "primary"
