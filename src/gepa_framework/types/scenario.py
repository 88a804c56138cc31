"""A scenario: a task that is ready to be run, with all that must be there and what its scores look like."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import attrs

from gepa_framework.types.json import EMPTY, JSONObject, freeze_mapping

_ID = re.compile(r"[a-z][a-z0-9]*([-_.][a-z0-9]+)*(/[a-z0-9]+([-_.][a-z0-9]+)*)?")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BUDGET = re.compile(r"[a-z][a-z0-9_]*")
_NO_TEXTS: Mapping[str, str] = MappingProxyType({})
_NO_BUDGETS: Mapping[str, int | float] = MappingProxyType({})


def _scenario_id(_: object, field: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError(f"{field.name} is lower case words, as in 'name' or 'name/variant', not {value!r}")


def _line(_: object, field: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise ValueError(f"{field.name} must be one line of text, not {value!r}")


def _words(_: object, field: attrs.Attribute[tuple[str, ...]], value: tuple[object, ...]) -> None:
    if any(not isinstance(word, str) or not word or "\0" in word for word in value):
        raise ValueError(f"{field.name} must be words, none of them empty: {value!r}")


def _pattern(_: object, field: attrs.Attribute[str], value: str) -> None:
    try:
        groups = re.compile(value).groups
    except re.error as error:
        raise ValueError(f"{field.name} is no regular expression: {error}") from error
    if groups != 1:
        raise ValueError(f"{field.name} must have one group, around the version: {value!r}")


def _below(_: object, field: attrs.Attribute[str], value: object) -> None:
    parts = value.split("/") if isinstance(value, str) else []
    if not any(parts) or not parts[0] or ".." in parts or "\0" in str(value):
        raise ValueError(f"{field.name} is a path below the run's directory, not {value!r}")


def _environment(_: object, field: attrs.Attribute[Mapping[str, str]], value: Mapping[str, str]) -> None:
    if wrong := [name for name in value if not _ENV_NAME.fullmatch(name)]:
        raise ValueError(f"{field.name} names environment variables, and {wrong[0]!r} cannot be one")


def _budgets(_: object, field: attrs.Attribute[Any], value: Mapping[str, Any]) -> None:
    for key, limit in value.items():
        if not _BUDGET.fullmatch(key):
            raise ValueError(f"{field.name} are keys of [gepa], and {key!r} cannot be one")
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < math.inf:
            raise ValueError(f"{field.name}: {key} must be a number above 0, not {limit!r}")


def _tools(_: object, field: attrs.Attribute[tuple[Tool, ...]], value: tuple[object, ...]) -> None:
    if odd := [tool for tool in value if not isinstance(tool, Tool)]:
        raise TypeError(f"{field.name} must be of Tool(...), not {odd[0]!r}")


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    """Give words; a text alone would be taken letter by letter."""
    return (value,) if isinstance(value, str) else tuple(value)


def _tuple(value: Iterable[Tool]) -> tuple[Tool, ...]:
    return tuple(value)


def _frozen(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(value))


@attrs.frozen
class Tool:
    """A program that a scenario needs.

    Attributes:
        name: Its name on ``PATH``; ``{python}`` for the Python that runs this.
        versions: Range of versions as pip writes it, such as ``>=3.11,<4``; any where empty.
        ask: Arguments that make it tell its version.
        pattern: Regular expression for the version in what it tells; its one group is the version.
        cure: How to get it, for who does not have it.
    """

    name: str = attrs.field(validator=_line)
    versions: str = ""
    ask: tuple[str, ...] = attrs.field(default=("--version",), converter=_texts, validator=_words)
    pattern: str = attrs.field(default=r"(\d+(?:\.\d+)+)", validator=_pattern)
    cure: str = ""


@attrs.frozen
class Artifact:
    """What a run leaves for whoever wanted the task solved.

    Attributes:
        path: Where it is, below the run's directory.
        components: The components that it holds; the program must have every one of them.
        max_chars: Characters that one of them may have; any number where ``None``.
    """

    path: str = attrs.field(default="best_candidate.json", validator=_below)
    components: tuple[str, ...] = attrs.field(default=(), converter=_texts, validator=_words)
    max_chars: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.gt(0))
    )


@attrs.frozen
class ScoreShape:
    """What a score of the task looks like.

    Attributes:
        metric: ``reward``, or the name of an objective or metric of each rollout.
        direction: Which way is better; a reward is always to be maximised.
        low: The least that there is; ``None`` for no bound.
        high: The most that there is; ``None`` for no bound.
        unit: What it is counted in, such as ``share of queries``.
    """

    metric: str = attrs.field(default="reward", validator=_line)
    direction: Literal["maximize", "minimize"] = attrs.field(
        default="maximize", validator=attrs.validators.in_(("maximize", "minimize"))
    )
    low: float | None = 0.0
    high: float | None = 1.0
    unit: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse what no score can be.

        Raises:
            ValueError: The bounds are no bounds, or less reward would be better.
        """
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if any(not math.isfinite(bound) for bound in bounds) or sorted(bounds) != bounds:
            raise ValueError(f"low and high must be finite and in order, not {self.low!r} and {self.high!r}")
        if self.metric == "reward" and self.direction != "maximize":
            raise ValueError("a reward is to be maximised; name an objective or metric as the metric")

    def holds(self, score: float) -> bool:
        """Tell whether a score is one."""
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return math.isfinite(score) and low <= score <= high


@attrs.frozen
class Smoke:
    """The one evaluation that is tried before anything else.

    Attributes:
        row: Seed or id of the train row; the configuration's first where ``None``.
        seconds: How long it may take, from starting the container to stopping it; and how long the validator
            and the scorer may take, each.
    """

    row: int | str | None = None
    seconds: float = attrs.field(
        default=60.0, validator=attrs.validators.and_(attrs.validators.gt(0), attrs.validators.le(3600))
    )


@attrs.frozen
class Scenario:
    """A task that is ready to be run.

    In `command`, `validator` and `scorer`, ``{python}`` stands for the Python that runs this. In the last
    two, ``{artifact}`` is a file like that of `artifact`.

    Attributes:
        id: Its name, or ``name/variant``, where the entry point is called ``scenario.name``.
        summary: One sentence.
        config: The tables of the ``gepa.toml`` that ``gepa init --scenario`` writes, without what `command`
            and `budgets` say already.
        tools: Programs that must be there.
        environ: Environment variables that must be set, each with what it is for.
        command: What starts the container: ``container.command``; empty where `config` says where it is.
        artifact: What a run leaves.
        validator: Command that ends with 0 if an artefact is one; empty where there is none.
        scorer: Command whose last line of output is the score of an artefact: a number, or a JSON object that
            has it under the metric's name; empty where there is none.
        score: What a score looks like.
        budgets: Limits of ``[gepa]`` to begin with, such as ``max_total_rollouts``.
        smoke: The evaluation that is tried first.
    """

    id: str = attrs.field(validator=_scenario_id)
    summary: str = attrs.field(validator=_line)
    config: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping, repr=False)
    tools: tuple[Tool, ...] = attrs.field(default=(), converter=_tuple, validator=_tools)
    environ: Mapping[str, str] = attrs.field(default=_NO_TEXTS, converter=_frozen, validator=_environment)
    command: tuple[str, ...] = attrs.field(default=(), converter=_texts, validator=_words)
    artifact: Artifact = attrs.field(factory=Artifact)
    validator: tuple[str, ...] = attrs.field(default=(), converter=_texts, validator=_words)
    scorer: tuple[str, ...] = attrs.field(default=(), converter=_texts, validator=_words)
    score: ScoreShape = attrs.field(factory=ScoreShape)
    budgets: Mapping[str, int | float] = attrs.field(
        default=_NO_BUDGETS, converter=_frozen, validator=_budgets
    )
    smoke: Smoke = attrs.field(factory=Smoke)
