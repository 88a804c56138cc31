"""The verdict: whether the selected candidate is better than the seed, from a paired test on heldout rows."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping

import attrs

from gepa_framework._core import sign_flip_p
from gepa_framework.engine.measuring import measure
from gepa_framework.errors import RunFailedError


class Verdict(enum.StrEnum):
    """What the heldout rows say of the selected candidate."""

    DEMONSTRATED = "improvement_demonstrated"
    """It is better than the seed by more than chance explains at the confidence that was asked for."""
    NONE_MEASURED = "no_measured_improvement"
    """It is the seed, or its mean is no higher on the rows scored for both."""
    INCONCLUSIVE = "inconclusive"
    """Its mean is higher, or was not measured, and the rows do not decide."""


@attrs.frozen
class ImprovementVerdict:
    """The verdict with the numbers that it stands on.

    Attributes:
        verdict: What it comes to.
        candidate_id: The candidate that was compared with the seed: the one with the best Pareto mean.
        n: Heldout rows that were scored for both.
        differing: Those of them on which the two rewards differ.
        mean_difference: Mean of the differences, candidate minus seed; ``None`` without rows.
        stderr: Its standard error; ``None`` for fewer than two rows, or where the two are one.
        p: One-sided p of the sign-flip test; ``None`` without rows, or where the two are one.
        confidence: What is kept from a demonstration where there is no difference; beyond 16 differing rows
            of unlike sizes nearly so, since p is then that of the normal form.
        reason: Why, in one sentence.
    """

    verdict: Verdict
    candidate_id: str
    n: int
    differing: int
    mean_difference: float | None
    stderr: float | None
    p: float | None
    confidence: float
    reason: str


def judge(
    seed: Mapping[int, float], selected: Mapping[int, float], *, candidate_id: str, confidence: float
) -> ImprovementVerdict:
    """Compare two candidates on the heldout rows that were scored for both.

    Args:
        seed: The seed's rewards by the row's position.
        selected: Those of the candidate with the best Pareto mean.
        candidate_id: That candidate.
        confidence: Above 0.5 and below 1; p must not be above what it leaves to 1.

    Raises:
        RunFailedError: Two rewards differ by more than the range of a double.
    """
    differences = paired(seed, selected)
    measured = measure(differences)
    p = sign_flip_p(differences) if differences else None
    differing = sum(difference != 0.0 for difference in differences)
    verdict, reason = _decide(measured.mean, p, differing, 1.0 - confidence)
    return ImprovementVerdict(
        verdict=verdict,
        candidate_id=candidate_id,
        n=measured.n,
        differing=differing,
        mean_difference=measured.mean,
        stderr=measured.stderr,
        p=p,
        confidence=confidence,
        reason=reason,
    )


def seed_selected(rewards: Mapping[int, float], *, seed_id: str, confidence: float) -> ImprovementVerdict:
    """Give the verdict of a search that found nothing better than the seed."""
    return ImprovementVerdict(
        verdict=Verdict.NONE_MEASURED,
        candidate_id=seed_id,
        n=len(rewards),
        differing=0,
        mean_difference=0.0 if rewards else None,
        stderr=None,
        p=None,
        confidence=confidence,
        reason="the search selected the seed",
    )


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> list[float]:
    """Give second minus first on the rows that both have, in the order of the first.

    Raises:
        RunFailedError: Two rewards differ by more than the range of a double.
    """
    differences = [second[row] - reward for row, reward in first.items() if row in second]
    if not all(map(math.isfinite, differences)):
        raise RunFailedError(
            "two heldout rewards of one row differ by more than the range of a double",
            hint="let the container give rewards of an ordinary size, such as 0 to 1",
        )
    return differences


def _decide(mean: float | None, p: float | None, differing: int, alpha: float) -> tuple[Verdict, str]:
    if mean is None or p is None:
        return Verdict.INCONCLUSIVE, "no heldout row was scored for both"
    if mean <= 0.0:
        return Verdict.NONE_MEASURED, "the mean is no higher than the seed's"
    if p <= alpha:
        return Verdict.DEMONSTRATED, f"p is at most {alpha:.6g}"
    least = 2.0**-differing
    if least > alpha:
        rows = "1 row differs" if differing == 1 else f"{differing} rows differ"
        return Verdict.INCONCLUSIVE, f"only {rows}, and p can then not be below {least:.6g}"
    return Verdict.INCONCLUSIVE, f"p is above {alpha:.6g}"
