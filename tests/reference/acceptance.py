"""Acceptance by its definition."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product


def exact_sum(scores):
    return float(sum(map(Fraction, scores), Fraction(0)))


def accepts(rule, before, after):
    if rule == "strict_improvement":
        return exact_sum(after) > exact_sum(before)
    return exact_sum(after) >= exact_sum(before)


def sign_flip_p(differences):
    """Go through all signs."""
    sizes = [abs(Fraction(d)) for d in differences if d]
    reached = sum(Fraction(d) for d in differences)
    signs = list(product((1, -1), repeat=len(sizes)))
    sums = (sum(sign * size for sign, size in zip(each, sizes, strict=True)) for each in signs)
    return sum(total >= reached for total in sums) / len(signs)


def race(differences, *, confidence, power, win_rate, limit):
    """Give the verdict, the evidence when it fell, and p, for differences of any size."""
    tilt = 2 * win_rate - 1
    reject = 1 - power
    least = (1 - tilt) * reject
    accept = least + (1 - least) / (1 - confidence)
    evidence, largest, squares = 1.0, 1.0, []
    verdict = "rejected" if len(differences) >= limit else "undecided"
    for difference in differences[:limit]:
        if difference:
            squares.append(difference**2)
            weight = min(1.0, abs(difference) / math.sqrt(sum(squares) / len(squares)))
            t = math.atanh(tilt) * weight
            evidence *= math.exp(math.copysign(t, difference)) / math.cosh(t)
        largest = max(largest, evidence)
        if evidence >= accept or evidence <= reject:
            verdict = "accepted" if evidence >= accept else "rejected"
            break
    return verdict, evidence, (1 - least) / (largest - least)


def objective_deltas(before, after, directions):
    deltas = []
    for objective, direction in enumerate(directions):
        pairs = [(b[objective], a[objective]) for b, a in zip(before, after, strict=True)]
        rises = [Fraction(a) - Fraction(b) for b, a in pairs if a is not None and b is not None]
        mean = float(sum(rises)) / len(rises) if rises else None
        deltas.append(-mean if mean is not None and direction == "minimize" else mean)
    return deltas


def weighed(verdict, criterion, deltas, *, min_delta, tolerance, protected):
    improved = any(d is not None and d > 0 and d >= min_delta for d in deltas)
    if criterion == "any_objective_improved":
        return "accepted" if improved else "rejected"
    if criterion == "primary_or_objective":
        return "accepted" if improved else verdict
    if criterion == "protected_objective_guard":
        broken = any(deltas[o] is None or deltas[o] < -tolerance for o in protected)
        return "rejected" if broken else verdict
    return verdict
