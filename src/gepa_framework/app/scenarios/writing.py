"""A configuration written as TOML, with what the schema says of each key as a comment."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import tomlkit

from gepa_framework.app.scenarios.defaults import scenario_config
from gepa_framework.app.schema import DIRECTIVE
from gepa_framework.config.locate import dotted
from gepa_framework.types import JSONObject, Scenario

#: The order in which people read; what is not named comes last.
_ORDER = ("run", "plugins", "container", "dataset", "taskset", "candidate", "policy", "proposer", "gepa")
_WIDTH = 100


def scenario_text(scenario: Scenario, schema: JSONObject) -> str:
    """Give the ``gepa.toml`` that a scenario begins with.

    Args:
        scenario: The scenario.
        schema: The JSON Schema of the plugins that are installed, for the comments.

    Raises:
        PluginBrokenError: The scenario says something twice.
    """
    config = scenario_config(scenario)
    head = [DIRECTIVE, *_comment(f"Scenario {scenario.id}: {scenario.summary}")]
    names = sorted(config, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    blocks = [_block((name,), config[name], partial(_Told.of, schema, name)) for name in names]
    return "\n".join([*head, *(line for block in blocks for line in ("", *block))]) + "\n"


class _Told:
    """What a schema says of a table and of what is in it."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    @classmethod
    def of(cls, schema: Mapping[str, Any], name: str, table: Mapping[str, Any]) -> _Told:
        """Find the table of a name; one that selects a plugin is that of the plugin."""
        found = schema["properties"].get(name, {})
        found = found.get("items", found)
        for branch in found.get("allOf", ()):
            (selector,) = branch["if"]["properties"].items()
            chosen = table.get(selector[0], found["properties"][selector[0]].get("default"))
            if chosen in selector[1]["enum"]:
                return cls(schema["$defs"][branch["then"]["$ref"].rpartition("/")[2]])
        return cls(found)

    def below(self, key: str) -> _Told:
        """Give what is said of a key."""
        table = self._schema.get("anyOf", [self._schema])[-1]
        return _Told(table.get("properties", {}).get(key, {}))

    def below_of(self, key: str, _: Any) -> _Told:
        """Give what is said of a key, whatever its value."""
        return self.below(key)

    def text(self) -> str:
        """Give the description."""
        return str(self._schema.get("description", ""))


def _block(path: tuple[str, ...], table: Any, told_of: Callable[[Any], _Told]) -> Iterator[str]:
    if isinstance(table, list):
        for index, entry in enumerate(table):
            yield from [""] if index else []
            yield from _keys(f"[[{dotted(path)}]]", path, entry, told_of(entry))
    else:
        yield from _keys(f"[{dotted(path)}]", path, table, told_of(table))


def _keys(header: str, path: tuple[str, ...], table: Mapping[str, Any], told: _Told) -> Iterator[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if plain or len(plain) == len(table):
        yield header
    for key, value in plain.items():
        yield from _comment(told.below(key).text())
        yield f"{dotted((key,))} = {_toml(value)}"
    for key, value in table.items():
        if key not in plain:
            yield from [""] if plain else []
            yield from _block((*path, key), value, partial(told.below_of, key))


def _comment(text: str) -> Sequence[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]


def _toml(value: Any) -> str:
    text = tomlkit.item(value).as_string()
    return text if isinstance(text, str) else str(text)
