"""Whether what is scored looks like the scores of the task."""

from __future__ import annotations

import json

from gepa_framework.app.scenarios.checks import Check, failed, passed
from gepa_framework.app.scenarios.commands import Finished
from gepa_framework.types import RolloutOutcome, RolloutResult, ScoreShape

_ROLLOUT, _SCORER = "rollout of the seed", "scorer"


def check_outcome(shape: ScoreShape, outcome: RolloutOutcome) -> Check:
    """Hold what a rollout came to against the shape."""
    if not isinstance(outcome, RolloutResult):
        return failed(_ROLLOUT, f"failed ({outcome.kind}, {outcome.code}): {outcome.message}")
    scores = {**outcome.metrics, **outcome.objectives, "reward": outcome.reward}
    if shape.metric not in scores:
        told = ", ".join(sorted(scores))
        return failed(_ROLLOUT, f"gave no '{shape.metric}'; it gave: {told}", "tell the scenario's makers")
    return _held(_ROLLOUT, shape, scores[shape.metric])


def check_scorer(shape: ScoreShape, done: Finished) -> Check:
    """Hold what the scorer printed against the shape."""
    if done.trouble or done.code:
        how = done.trouble or f"ended with {done.code}"
        return failed(_SCORER, f"{how}: {done.last_line[:300]}".rstrip(": "))
    score = _printed(shape, done.last_line)
    if score is None:
        asked = f"a number, or an object with '{shape.metric}'"
        return failed(_SCORER, f"its last line is not {asked}: {done.last_line[:200]!r}")
    return _held(_SCORER, shape, score)


def check_validator(done: Finished) -> Check:
    """Tell whether the validator took the seed's artefact."""
    if done.trouble or done.code:
        how = done.trouble or f"ended with {done.code}"
        return failed("validator", f"{how}: {done.last_line[:300]}".rstrip(": "))
    return passed("validator", "takes the seed's artefact")


def _printed(shape: ScoreShape, line: str) -> float | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    score = told.get(shape.metric) if isinstance(told, dict) else told
    return float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None


def _held(name: str, shape: ScoreShape, score: float) -> Check:
    unit = f" ({shape.unit})" if shape.unit else ""
    if shape.holds(score):
        return passed(name, f"{shape.metric} {score:g}{unit}")
    low = "" if shape.low is None else f"{shape.low:g} <= "
    high = "" if shape.high is None else f" <= {shape.high:g}"
    return failed(name, f"{shape.metric} is {score:g}{unit}, and must be {low}{shape.metric}{high}")
