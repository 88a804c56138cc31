"""What is to be recorded: values between the account of a run and MLflow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import attrs

from gepa_framework.types import JSONValue

#: Longest value of a parameter, and of a tag, that MLflow takes.
PARAM_CHARS = 6000
TAG_CHARS = 5000
_NAME_CHARS = 250
_NOT_IN_A_NAME = re.compile(r"[^\w.\- /]", re.ASCII)


@attrs.frozen
class Note:
    """What follows from one event.

    Attributes:
        seq: Number of the event.
        elapsed_seconds: Time that the run had been worked on.
        step: Rollouts finished by then: the axis that runs are compared on.
        metrics: Values at this step.
        params: What holds for the whole run.
        tags: What may change.
        texts: Artifact path to its text.
        status: What the run is from now on, in the words of MLflow; ``None`` for no change.
    """

    seq: int
    elapsed_seconds: float
    step: int
    metrics: Mapping[str, float] = attrs.field(factory=dict)
    params: Mapping[str, str] = attrs.field(factory=dict)
    tags: Mapping[str, str] = attrs.field(factory=dict)
    texts: Mapping[str, str] = attrs.field(factory=dict)
    status: str | None = None


def clean(text: str) -> str:
    """Give a text that can be encoded and kept by any database: models write what they like."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


def shown(value: JSONValue, limit: int = PARAM_CHARS) -> str:
    """Give a value as a parameter or tag has it, cut where it is too long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = clean(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def name_of(*parts: str) -> str:
    """Give a name that MLflow takes for a parameter or metric."""
    return _NOT_IN_A_NAME.sub("_", ".".join(parts))[:_NAME_CHARS]


def flat(table: Mapping[str, JSONValue], *prefix: str) -> dict[str, str]:
    """Give the values of nested tables as parameters; what is unset is left out."""
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= flat(value, *prefix, key)
        elif value is not None:
            found[name_of(*prefix, key)] = shown(value)
    return found
