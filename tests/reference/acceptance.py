"""Acceptance by its definition."""

from __future__ import annotations

from fractions import Fraction


def exact_sum(scores):
    return float(sum(map(Fraction, scores), Fraction(0)))


def accepts(rule, before, after):
    if rule == "strict_improvement":
        return exact_sum(after) > exact_sum(before)
    return exact_sum(after) >= exact_sum(before)
