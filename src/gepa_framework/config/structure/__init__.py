"""From plain TOML values to attrs values: no coercion, no unknown key, every fault at once."""

from __future__ import annotations

from cattrs import Converter

from gepa_framework.config.structure.classes import (
    default_of,
    known_fields,
    register_classes,
    structure_class,
)
from gepa_framework.config.structure.containers import register_containers
from gepa_framework.config.structure.faults import (
    Fault,
    Faults,
    Gather,
    describe,
    did_you_mean,
    fault,
    mismatch,
)
from gepa_framework.config.structure.scalars import json_value, register_scalars

__all__ = [
    "Fault",
    "Faults",
    "Gather",
    "default_of",
    "describe",
    "did_you_mean",
    "fault",
    "json_value",
    "known_fields",
    "mismatch",
    "strict_converter",
    "structure_class",
]


def strict_converter() -> Converter:
    """Give a converter that structures plain TOML values and raises `Faults`."""
    converter = Converter(detailed_validation=False, forbid_extra_keys=True)
    register_containers(converter)
    register_classes(converter)
    register_scalars(converter)
    return converter
