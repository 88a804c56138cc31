"""The rest of a ``[[listeners]]`` entry, once ``use = "mlflow"`` has selected this plugin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

_NAMED = attrs.validators.optional(attrs.validators.min_len(1))
#: What MLflow and this plugin write there themselves.
_RESERVED = ("gepa.", "mlflow.runName")


def _address(_: object, attribute: attrs.Attribute[str | None], value: str | None) -> None:
    if value is None:
        return
    if not value.strip():
        raise ValueError(f"{attribute.name} must not be empty; leave it out for the default")
    try:
        parts = urlsplit(value)
        password, _ = parts.password, parts.port
    except ValueError:
        # What is wrong with it may be a password at the wrong place; it is not repeated.
        raise ValueError(f"{attribute.name} is no address of a tracking server") from None
    if password is not None:
        raise ValueError(
            f"{attribute.name} must not hold a password; put the whole address into the environment "
            "variable MLFLOW_TRACKING_URI, or the password of a server into MLFLOW_TRACKING_PASSWORD"
        )


def _tags(_: object, attribute: attrs.Attribute[Mapping[str, str]], value: Mapping[str, str]) -> None:
    for name in value:
        if not name or name.startswith(_RESERVED):
            raise ValueError(
                f"{attribute.name} may not set {name!r}: what begins with 'gepa.' is the listener's"
            )


def _positive(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{attribute.name} must be a positive number, got {value!r}")


@attrs.frozen
class MlflowConfig:
    """Where runs are recorded, and under which names."""

    tracking_uri: str | None = attrs.field(
        default=None,
        validator=_address,
        metadata={
            "help": "Tracking server (http://, https://, databricks) or database (sqlite:///FILE, relative "
            "to the configuration file); by default MLFLOW_TRACKING_URI, or mlflow.db beside the "
            "configuration file."
        },
    )
    experiment: str | None = attrs.field(
        default=None,
        validator=_NAMED,
        metadata={
            "help": "Experiment, made where there is none; by default MLFLOW_EXPERIMENT_NAME, or gepa."
        },
    )
    run_name: str | None = attrs.field(
        default=None,
        validator=_NAMED,
        metadata={"help": "Name of the MLflow run; by default the id of the run."},
    )
    tags: Mapping[str, str] = attrs.field(
        factory=dict, validator=_tags, metadata={"help": "Further tags of the MLflow run."}
    )
    queue_size: int = attrs.field(
        default=10_000,
        validator=_positive,
        metadata={
            "help": "Events that may wait to be recorded; further ones are read from events.jsonl later."
        },
    )
    flush_seconds: float = attrs.field(
        default=2.0,
        validator=_positive,
        metadata={"help": "How long what is to be recorded is gathered before it is sent."},
    )
    close_seconds: float = attrs.field(
        default=30.0,
        validator=_positive,
        metadata={"help": "How long the end of a run waits at most for MLflow to take the rest."},
    )
