"""The effective configuration as JSON, in the shape of the TOML, for the record."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import attrs

from gepa_framework.config.model import ListenerChoice, PluginChoice, ProposerChoice, RunConfig
from gepa_framework.config.overrides import masked
from gepa_framework.types import JSONObject


def resolved_json(config: RunConfig) -> JSONObject:
    """Give the configuration as JSON: defaults filled in, one spelling for everything, secrets masked."""
    shape = {field.name: getattr(config, field.name) for field in attrs.fields(RunConfig)}
    shape |= {
        "container": _choice(config.container, "transport"),
        "proposer": _choice(config.proposer, "backend"),
        "cache": {
            "mode": config.cache.mode,
            "namespace": config.cache.namespace,
            **_choice(config.cache.backend, "backend"),
        },
        "stoppers": [_choice(choice, "use") for choice in config.stoppers],
        "listeners": [_choice(choice, "use") for choice in config.listeners],
        "executor": config.executor and _choice(config.executor, "use"),
        "store": _choice(config.store, "use"),
    }
    return {key: masked(plain(value)) for key, value in shape.items()}  # type: ignore[misc]


def _choice(choice: PluginChoice, key: str) -> dict[str, Any]:
    shown: dict[str, Any] = {key: choice.name}
    if isinstance(choice, ListenerChoice):
        shown["on_error"] = choice.on_error
    if isinstance(choice, ProposerChoice):
        shown["allow_model_substitution"] = choice.allow_model_substitution
    return {**shown, **plain(choice.options)}


def plain(value: Any) -> Any:
    """Give a structured value as JSON; what JSON does not know, as its text."""
    if attrs.has(type(value)):
        fields = [field for field in attrs.fields(type(value)) if field.init]
        return {field.alias: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, Collection) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
