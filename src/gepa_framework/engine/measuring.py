"""Means and their standard errors."""

from __future__ import annotations

import math
from collections.abc import Collection

import attrs


@attrs.frozen
class Measurement:
    """The mean of some numbers.

    Attributes:
        mean: ``None`` when there are none.
        stderr: Standard error of the mean, n - 1 in the variance; ``None`` for fewer than two numbers.
        n: How many there are.
    """

    mean: float | None
    stderr: float | None
    n: int


def measure(values: Collection[float]) -> Measurement:
    """Give mean and standard error of finite numbers; neither depends on their order."""
    count = len(values)
    if not count:
        return Measurement(None, None, 0)
    # Numbers near the end of the range of a double must not overflow when squared or added up.
    exponent = max(math.frexp(value)[1] for value in values)
    scaled = [math.ldexp(value, -exponent) for value in values]
    mean = math.fsum(scaled) / count
    if count == 1:
        return Measurement(math.ldexp(mean, exponent), None, 1)
    # A product is rounded alike everywhere, which a power need not be, and these numbers are on record.
    deviations = [value - mean for value in scaled]
    variance = math.fsum(deviation * deviation for deviation in deviations) / (count - 1)
    return Measurement(math.ldexp(mean, exponent), math.ldexp(math.sqrt(variance / count), exponent), count)
