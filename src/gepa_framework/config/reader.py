"""Structures the tables of a document one by one, and goes on where one of them is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

import attrs
from cattrs import Converter

from gepa_framework.config.model import ListenerChoice, PluginChoice
from gepa_framework.config.places import Report
from gepa_framework.config.plugin_class import check_config_class
from gepa_framework.config.sections.gepa import register_named
from gepa_framework.config.sections.rows import register_rows
from gepa_framework.config.structure import (
    Faults,
    describe,
    strict_converter,
    structure_class,
)
from gepa_framework.errors import PluginError
from gepa_framework.types import Kind

T = TypeVar("T")
#: Gives the configuration class of a plugin, by kind and name as written; raises `PluginError`.
Resolve: TypeAlias = "Callable[[Kind, str], type[object]]"


def _converter() -> Converter:
    converter = strict_converter()
    register_rows(converter)
    register_named(converter)
    return converter


@attrs.frozen
class ListenerSettings:
    """The framework's own keys of an entry of ``[[listeners]]``.

    Attributes:
        on_error: What happens when the listener raises: a warning, it is not called again, or the run stops.
    """

    on_error: Literal["warn", "disable", "stop"] = "warn"


@attrs.define
class Reader:
    """Reads tables of a document into values, noting what is wrong.

    Attributes:
        data: The document.
        report: Takes the problems.
        resolve: Gives the configuration classes of plugins.
        converter: Structures plain values.
        plugins_ready: Whether plugins can be asked for; not when what ``[plugins]`` requires is missing.
        broken: Tables that are wrong, for which the defaults stand in.
    """

    data: Mapping[str, Any]
    report: Report
    resolve: Resolve
    converter: Converter = attrs.field(factory=_converter)
    plugins_ready: bool = True
    broken: set[str] = attrs.field(factory=set)

    def structure(self, path: Sequence[str], value: object, kind: Any, also: Sequence[str] = ()) -> Any:
        """Structure the value at a path; ``None`` when it is wrong, which is then in the report."""
        try:
            if attrs.has(kind):
                return structure_class(self.converter, value, kind, also)
            return self.converter.structure(value, kind)
        except Faults as found:
            self.report.add_faults(path, found)
            return None

    def section(self, name: str, cls: type[T]) -> T:
        """Structure a table that has a default for everything; the defaults stand in for a wrong one."""
        found: T | None = self.structure((name,), self.data.get(name, {}), cls)
        if found is None:
            self.broken.add(name)
            return cls()
        return found

    def plugin(
        self, path: Sequence[str], kind: Kind, key: str, default: str = "", also: Sequence[str] = ()
    ) -> PluginChoice | None:
        """Read the table that selects a plugin.

        Args:
            path: The table.
            kind: The kind of plugin.
            key: The key that names the plugin.
            default: Its value where the table does not say; empty where it must.
            also: Further keys of the table that are not the plugin's.

        Returns:
            The choice; ``None`` when something is wrong, which is then in the report.
        """
        table = self._lookup(path)
        if not isinstance(table, dict):
            self.report.add(path, f"expected a table, got {describe(table)}")
            return None
        name = self._plugin_name(path, table, key, default)
        cls = self._config_class((*path, key), kind, name) if name and self.plugins_ready else None
        if not name or cls is None:
            return None
        rest = {item: value for item, value in table.items() if item not in (key, *also)}
        options = self.structure(path, rest, cls, (key, *also))
        return None if options is None else PluginChoice(kind, name, options, ".".join(path))

    def own(self, path: Sequence[str], cls: type[T]) -> T | None:
        """Read the framework's own keys of a table that selects a plugin; ``None`` when one is wrong."""
        table = self._lookup(path)
        own = attrs.fields_dict(cls)  # type: ignore[arg-type]
        given = {key: table[key] for key in own if key in table} if isinstance(table, dict) else {}
        found: T | None = self.structure(path, given, cls)
        return found

    def listeners(self) -> tuple[ListenerChoice, ...]:
        """Read ``[[listeners]]``."""
        found: list[ListenerChoice] = []
        for path in self._entries("listeners"):
            settings = self.own(path, ListenerSettings)
            choice = self.plugin(path, Kind.LISTENER, "use", also=("on_error",))
            if choice and settings:
                found.append(
                    ListenerChoice(choice.kind, choice.name, choice.options, choice.path, settings.on_error)
                )
        return tuple(found)

    def stoppers(self) -> tuple[PluginChoice, ...]:
        """Read ``[[stoppers]]``."""
        choices = (self.plugin(path, Kind.STOPPER, "use") for path in self._entries("stoppers"))
        return tuple(choice for choice in choices if choice)

    def tables(self, name: str, cls: type[T]) -> list[tuple[tuple[str, str], T]]:
        """Structure an array of tables; those that are wrong are left out."""
        read = [(path, self.structure(path, self._lookup(path), cls)) for path in self._entries(name)]
        return [(path, table) for path, table in read if table is not None]

    def _entries(self, name: str) -> list[tuple[str, str]]:
        entries = self.data.get(name, [])
        if not isinstance(entries, list):
            self.report.add(
                (name,), f"expected an array of tables, got {describe(entries)}", f"write [[{name}]]"
            )
            return []
        return [(name, str(index)) for index in range(len(entries))]

    def _lookup(self, path: Sequence[str]) -> Any:
        node: Any = self.data.get(path[0], {})
        for part in path[1:]:
            node = node[int(part)] if isinstance(node, list) else node[part]
        return node

    def _plugin_name(self, path: Sequence[str], table: dict[str, Any], key: str, default: str) -> str | None:
        if key not in table and not default:
            near = difflib.get_close_matches(key, table, n=1)
            hint = f"you wrote '{near[0]}'" if near else f'name a plugin: {key} = "…"'
            self.report.add((*path, key), "is required", hint)
            return None
        name: str | None = self.structure((*path, key), table.get(key, default), str)
        if name == "":
            self.report.add((*path, key), "must not be empty", "name a plugin")
        return name

    def _config_class(self, path: Sequence[str], kind: Kind, name: str) -> type[object] | None:
        try:
            cls = self.resolve(kind, name)
            check_config_class(cls, f"the {kind} '{name}'")
        except PluginError as error:
            self.report.refuse(path, error)
            return None
        return cls
