"""The verdict on the heldout rows in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gepa_framework.cli.words import one_line, stderr_words

if TYPE_CHECKING:
    from gepa_framework.engine import ImprovementVerdict
    from gepa_framework.types.events import HeldoutVerdict


def verdict_words(given: ImprovementVerdict | HeldoutVerdict) -> str:
    """Give the verdict with its numbers and its reason."""
    numbers = [f"n={given.n}"]
    if given.mean_difference is not None:
        numbers.insert(0, f"mean difference {given.mean_difference:+.3f}")
    if given.p is not None:
        numbers += [f"stderr {stderr_words(given.stderr)}", f"p {given.p:.2g}"]
    numbers.append(f"confidence {given.confidence:g}")
    return f"{given.verdict} ({', '.join(numbers)}): {one_line(given.reason)}"
