"""The rest of a ``[[listeners]]`` entry, once ``use = "prometheus"`` has selected this plugin."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import attrs

#: The label of a target that says which run it is.
RUN_LABEL = "run"
_PORTS = 65536
_LINGER_SECONDS = 600.0
#: Labels that Prometheus gives, and those of the metrics themselves.
_TAKEN = frozenset(
    {
        *(RUN_LABEL, "job", "instance", "run_id", "config_digest", "seed", "state", "error_code", "stage"),
        *("outcome", "kind", "boundary", "reason", "decision", "role", "verdict", "budget"),
    }
)


def _port(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if not 0 <= value < _PORTS:
        raise ValueError(f"{attribute.name} must be 0 to {_PORTS - 1}, got {value}")


def _linger(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not (math.isfinite(value) and 0 <= value <= _LINGER_SECONDS):
        raise ValueError(f"{attribute.name} must be 0 to {_LINGER_SECONDS:g}, got {value!r}")


def _labels(_: object, attribute: attrs.Attribute[Mapping[str, str]], value: Mapping[str, str]) -> None:
    for name in value:
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) or name.startswith("__"):
            raise ValueError(
                f"{attribute.name} must have names of letters, digits and '_' that do not begin with a digit "
                f"or '__', got {name!r}"
            )
        if name in _TAKEN:
            raise ValueError(f"{attribute.name} may not have {name!r}, which is given already")


_GIVEN = attrs.validators.optional(attrs.validators.min_len(1))


@attrs.frozen
class PrometheusConfig:
    """How Prometheus is told of the run."""

    http: bool = attrs.field(
        default=True,
        metadata={"help": "Whether the metrics are served over HTTP; false where textfile_dir is enough."},
    )
    host: str = attrs.field(
        default="127.0.0.1",
        validator=attrs.validators.min_len(1),
        metadata={"help": "Address that is listened on; 0.0.0.0 or :: for all. There is no password."},
    )
    port: int = attrs.field(
        default=0,
        validator=_port,
        metadata={"help": "Port that is listened on; 0 for one that is free, so that no two runs collide."},
    )
    advertise: str | None = attrs.field(
        default=None,
        validator=_GIVEN,
        metadata={
            "help": "Name or address of this machine in the target file; by default host, or the machine's "
            "name where that is all addresses."
        },
    )
    targets_dir: str | None = attrs.field(
        default=None,
        validator=_GIVEN,
        metadata={
            "help": "Directory of the target file gepa-RUN.json, for file_sd_configs; relative to the "
            "configuration file. By default prometheus.json in the run's directory."
        },
    )
    labels: Mapping[str, str] = attrs.field(
        factory=dict,
        validator=_labels,
        metadata={"help": "Further labels of the target and of the text file, such as a team."},
    )
    textfile_dir: str | None = attrs.field(
        default=None,
        validator=_GIVEN,
        metadata={
            "help": "Directory of the text file gepa-RUN.prom for the textfile collector of node_exporter; "
            "relative to the configuration file. None is written where unset."
        },
    )
    linger_seconds: float = attrs.field(
        default=0.0,
        validator=_linger,
        metadata={
            "help": "How long a run that is over waits for one more scrape, so that its end is seen: twice "
            "the scrape interval is enough. At most 600."
        },
    )
