"""The tables that select a plugin: which keys one may hold depends on the plugin that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from gepa_framework.config.schema.constraints import Schema
from gepa_framework.config.schema.types import NOTHING, class_schema, field_schema
from gepa_framework.config.structure import known_fields
from gepa_framework.types import Kind


@attrs.frozen
class PluginKeys:
    """A plugin whose keys the schema is to know.

    Attributes:
        kind: Its kind.
        names: The names that select it; two distributions with one name are told apart by ``dist:name``.
        config: Its configuration class.
        summary: What it does.
        dist: Its distribution.
    """

    kind: Kind
    names: tuple[str, ...]
    config: type[object]
    summary: str
    dist: str

    @property
    def anchor(self) -> str:
        """Its name among the definitions of the schema."""
        return f"{self.kind}-{self.names[-1]}".replace(":", "-")


@attrs.frozen
class PluginTable:
    """A table that selects a plugin.

    Attributes:
        kind: The kind of plugin.
        key: The key that names it.
        default: The plugin where the key is left out; empty where it is required.
        own: Class of the framework's own keys in the table, if there are any.
        text: What the table is for.
    """

    kind: Kind
    key: str
    text: str
    default: str = ""
    own: type[object] | None = None


def table_schema(table: PluginTable, plugins: Sequence[PluginKeys]) -> Schema:
    """Give the schema of a table, whose keys go by the plugin that it names."""
    offered = [plugin for plugin in plugins if plugin.kind is table.kind]
    names = [name for plugin in offered for name in plugin.names]
    selector: Schema = {
        **({"enum": names} if names else NOTHING),
        "description": f"The {table.kind} plugin; see `gepa plugins list`.",
    }
    if table.default:
        selector["default"] = table.default
    return {
        "type": "object",
        "description": table.text,
        "properties": {table.key: selector},
        **({} if table.default else {"required": [table.key]}),
        **({"allOf": [_branch(table, plugin) for plugin in offered]} if offered else {}),
    }


def definitions(tables: Sequence[PluginTable], plugins: Sequence[PluginKeys]) -> Mapping[str, Schema]:
    """Give the closed table of every plugin, by its anchor."""
    of_kind = {table.kind: table for table in tables}
    return {plugin.anchor: _closed(of_kind[plugin.kind], plugin) for plugin in plugins}


def _branch(table: PluginTable, plugin: PluginKeys) -> Schema:
    named: Schema = {"properties": {table.key: {"enum": list(plugin.names)}}}
    if table.default not in plugin.names:
        named["required"] = [table.key]
    return {"if": named, "then": {"$ref": f"#/$defs/{plugin.anchor}"}}


def _closed(table: PluginTable, plugin: PluginKeys) -> Schema:
    own = table.own
    ours: dict[str, Any] = (
        {key: field_schema(own, field) for key, field in known_fields(own).items()} if own else {}
    )
    schema = class_schema(plugin.config)
    return {
        **schema,
        "title": f"{plugin.names[0]} ({plugin.dist})",
        "description": plugin.summary,
        "properties": {table.key: {"enum": list(plugin.names)}, **ours, **schema["properties"]},
    }
