"""The rest of a ``[[listeners]]`` entry, once ``use = "otel"`` has selected this plugin."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import attrs


def _address(_: object, attribute: attrs.Attribute[str | None], value: str | None) -> None:
    if value is None:
        return
    parts = urlsplit(value)
    # What is wrong with it may be a password at the wrong place; it is not repeated.
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{attribute.name} must look like http://127.0.0.1:4318 or https://host")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            f"{attribute.name} must not hold credentials; name their environment variable in headers_env"
        )
    if parts.query or parts.fragment:
        raise ValueError(f"{attribute.name} must end with its path")


def _headers(_: object, attribute: attrs.Attribute[Mapping[str, str]], value: Mapping[str, str]) -> None:
    for header, variable in value.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", header):
            raise ValueError(f"{attribute.name}: {header!r} is not the name of a header")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
            raise ValueError(
                f"{attribute.name}.{header} must be the name of an environment variable, such as OTLP_TOKEN, "
                "not the value itself"
            )


def _share(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{attribute.name} must be between 0 and 1, got {value!r}")


def _positive(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{attribute.name} must be a positive number, got {value!r}")


@attrs.frozen
class OtelConfig:
    """Where traces go, and what is in them."""

    endpoint: str | None = attrs.field(
        default=None,
        validator=_address,
        metadata={
            "help": "Base address of the collector, to which /v1/traces is added; where unset "
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT or http://localhost:4318."
        },
    )
    headers_env: Mapping[str, str] = attrs.field(
        default=MappingProxyType({}),
        validator=_headers,
        metadata={"help": "Name of a header to the environment variable whose value is sent with it."},
    )
    service_name: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.min_len(1)),
        metadata={"help": "What service.name says; where unset OTEL_SERVICE_NAME, or gepa."},
    )
    sampling_ratio: float = attrs.field(
        default=1.0,
        validator=_share,
        metadata={"help": "Share of runs that are traced; a run is traced whole or not at all."},
    )
    capture_texts: bool = attrs.field(
        default=False,
        metadata={"help": "Send texts of candidates, rationales and messages of failures too."},
    )
    queue_size: int = attrs.field(
        default=8192,
        validator=_positive,
        metadata={"help": "Spans that may wait to be sent; what comes on top pushes the oldest out."},
    )
    timeout_seconds: float = attrs.field(
        default=10.0,
        validator=_positive,
        metadata={"help": "How long the collector may take for one batch, all attempts together."},
    )
    close_seconds: float = attrs.field(
        default=5.0,
        validator=_positive,
        metadata={"help": "How long a run that is over waits for its last spans to be sent."},
    )
