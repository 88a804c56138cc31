"""``--extend``: which limits may be raised, and what follows from it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, NoReturn

import attrs

from gepa_framework.app.history import History
from gepa_framework.app.planning import heldout_names, limits_of
from gepa_framework.app.prepare import Prepared
from gepa_framework.config import read_assignment
from gepa_framework.config.structure import did_you_mean
from gepa_framework.engine import Extend, heldout_reserve
from gepa_framework.errors import ConfigError, Problem, RunStateError
from gepa_framework.types import JSONObject, compact_json
from gepa_framework.workspace import measured_candidates

OPTION = "--extend"
#: Keys that `gepa resume --extend` may raise, besides the numbers of a stopper.
LIMITS = (
    "gepa.max_total_rollouts",
    "gepa.max_train_rollouts",
    "gepa.max_heldout_rollouts",
    "gepa.max_generations",
    "gepa.max_proposals",
    "gepa.max_time_seconds",
    "gepa.max_cost_usd",
    "gepa.max_prompt_tokens",
    "gepa.max_completion_tokens",
    "gepa.max_total_tokens",
    "gepa.no_improvement_generations",
    "gepa.score_threshold_value",
)
_STOPPER = re.compile(r"stoppers\.\d+\.[^.]+")
_FOR_GOOD = ("gepa.run.failed", "gepa.run.cancelled")


@attrs.frozen
class Extension:
    """Higher limits, and the run that has them.

    Attributes:
        given: For the machine.
        prepared: The run with them.
    """

    given: Extend
    prepared: Prepared


def extension_of(history: History, arguments: Sequence[str]) -> Extension:
    """Read the arguments of ``--extend``.

    Args:
        history: The run that is to have higher limits.
        arguments: Each ``key=value``.

    Raises:
        ConfigError: One is no limit, no number, or not higher than it is now.
        RunStateError: The run failed or was cancelled for good.
    """
    if history.record.ending in _FOR_GOOD:
        record = history.record
        said = record.ending_body.get("message") or record.ending_body.get("reason")
        raise RunStateError(
            f"the run in {history.run_dir} ended for good, and by no limit ({record.ending}: {said})",
            hint="start a new run",
        )
    given = [_read(argument) for argument in arguments]
    sets = tuple(f"{path}={compact_json(value)}" for path, value in given)
    for path, _ in given:
        _check_stopper(history, path)
        if path in LIMITS:
            _check_limited(history, path)
    prepared = _prepared(history, sets)
    for path, _ in given:
        _check_raised(history, prepared, path)
    with closing(history.journal()) as journal:
        measured = measured_candidates(journal)
    heldout = heldout_reserve(len(heldout_names(prepared.config)), measured)
    limits = limits_of(prepared.config.gepa, heldout=heldout)
    return Extension(Extend(limits, sets), prepared)


def may_be_raised(path: str) -> bool:
    """Tell whether a key can be given to ``--extend``."""
    return path in LIMITS or _STOPPER.fullmatch(path) is not None


def _read(argument: str) -> tuple[str, int | float]:
    path, value = read_assignment(argument, OPTION)
    if not may_be_raised(path):
        cure = did_you_mean(path, LIMITS)
        _refuse(
            path,
            "is no limit that can be raised",
            cure
            or f"there are: {', '.join(LIMITS)}, and the numbers of a stopper, such as stoppers.0.iterations",
        )
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        _refuse(path, "must be a number")
    return path, value


def _check_stopper(history: History, path: str) -> None:
    """Refuse a stopper, or a key of one, that is not there: no override may make it."""
    if path in LIMITS:
        return
    stopper, _, key = path.rpartition(".")
    table = _value(history.present.loaded.resolved, stopper)
    if not isinstance(table, Mapping):
        _refuse(path, f"names no stopper of the run, which has {len(history.present.config.stoppers)}")
    if key not in table:
        _refuse(path, f"names nothing that the stopper has: {', '.join(table)}")


def _check_limited(history: History, path: str) -> None:
    before = _now(history, path)
    if isinstance(before, bool) or not isinstance(before, int | float):
        _refuse(path, "is not limited by a number so far, and can only be raised")


def _prepared(history: History, sets: tuple[str, ...]) -> Prepared:
    try:
        return history.prepare(sets)
    except ConfigError as error:
        problems = tuple(
            attrs.evolve(problem, file=problem.file.replace("--set", OPTION)) for problem in error.problems
        )
        raise ConfigError(error.message, hint=error.hint, problems=problems) from error


def _check_raised(history: History, prepared: Prepared, path: str) -> None:
    gepa = prepared.config.gepa
    both = gepa.max_train_rollouts is not None and gepa.max_heldout_rollouts is not None
    if path == "gepa.max_total_rollouts" and both:
        _refuse(path, "has no effect", "raise gepa.max_train_rollouts and gepa.max_heldout_rollouts")
    _check_limited(history, path)
    before, after = _now(history, path), _value(prepared.loaded.resolved, path)
    unlimited = path == "gepa.max_cost_usd" and after == 0
    if after <= before and not unlimited:
        _refuse(path, f"is {before} now and can only be raised")


def _now(history: History, path: str) -> Any:
    """Give the value that holds now, be it written or not; ``None`` where there is no limit."""
    value = _value(history.present.loaded.resolved, path)
    if value is None and path == "gepa.max_train_rollouts":
        return history.limits.train_rollouts
    if value is None and path == "gepa.max_heldout_rollouts":
        return history.limits.heldout_rollouts
    return None if path == "gepa.max_cost_usd" and not value else value


def _value(resolved: JSONObject, path: str) -> Any:
    node: Any = resolved
    for part in path.split("."):
        if isinstance(node, Mapping):
            node = node.get(part)
        elif isinstance(node, Sequence) and not isinstance(node, str) and int(part) < len(node):
            node = node[int(part)]
        else:
            return None
    return node


def _refuse(path: str, message: str, hint: str = "") -> NoReturn:
    problem = Problem(path, message, hint, f"{OPTION} {path}")
    raise ConfigError(f"{OPTION} {path} cannot be used", problems=(problem,))
