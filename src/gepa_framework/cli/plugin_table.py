"""A plugin's table of ``gepa.toml``, written out from its configuration class."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import tomlkit

from gepa_framework.types import Kind

#: The table that selects a plugin, and the key in it.
_TABLES: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        Kind.PROPOSER: ("[proposer]", "backend"),
        Kind.TRANSPORT: ("[container]", "transport"),
        Kind.CACHE: ("[cache]", "backend"),
        Kind.STOPPER: ("[[stoppers]]", "use"),
        Kind.LISTENER: ("[[listeners]]", "use"),
        Kind.EXECUTOR: ("[executor]", "use"),
        Kind.STORE: ("[store]", "use"),
    }
)


def plugin_table(kind: Kind, name: str, config: type[Any]) -> str:
    """Give the table as TOML: what has a default as a comment, and what has none marked as required.

    Args:
        kind: The plugin's kind.
        name: Its name.
        config: Its attrs configuration class.
    """
    if kind is Kind.EXTRA:
        scenario = name.removeprefix("scenario.")
        command = f"init --scenario {scenario}" if scenario != name else name
        return f"# Selected on the command line: gepa {command}"
    header, selector = _TABLES[kind]
    lines = [header, f"{selector} = {_toml(name)}", *_fields(config, header.strip("[]"))]
    return "\n".join(lines)


def _fields(config: type[Any], table: str) -> Iterator[str]:
    nested: list[attrs.Attribute[Any]] = []
    for field in attrs.fields(config):
        if not field.init:
            continue
        if attrs.has(type(_default(field))):
            nested.append(field)
        else:
            yield from _field(field)
    for field in nested:
        yield from ("", *_comment(_help(field)), f"# [{table}.{_key(field)}]")
        yield from _fields(type(_default(field)), f"{table}.{_key(field)}")


def _field(field: attrs.Attribute[Any]) -> Iterator[str]:
    default = _default(field)
    required = f"Required: {field.type}." if default is attrs.NOTHING else ""
    yield ""
    yield from _comment(" ".join(part for part in (_help(field), required) if part))
    value = _toml(default) if default is not attrs.NOTHING else ""
    yield f"# {_key(field)} = {value}" if value else f"# {_key(field)} ="


def _help(field: attrs.Attribute[Any]) -> str:
    return str(field.metadata.get("help", ""))


def _comment(text: str) -> Iterator[str]:
    yield from (f"# {line}" for line in text.splitlines())


def _key(field: attrs.Attribute[Any]) -> str:
    return (field.alias or field.name).lstrip("_")


def _default(field: attrs.Attribute[Any]) -> Any:
    default: Any = field.default
    if not isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return default
    # A default that depends on the instance has no value of its own.
    return None if default.takes_self else default.factory()


def _toml(value: Any) -> str:
    """Give a value as TOML; nothing for one that TOML has no word for, such as ``None``."""
    plain = _plain(value)
    try:
        return tomlkit.item(plain).as_string() if plain is not None else ""
    except (ValueError, TypeError):
        return ""


def _plain(value: Any) -> Any:
    match value:
        case enum.Enum():
            return value.value
        case Path():
            return str(value)
        case Mapping():
            inline = tomlkit.inline_table()
            inline.update({str(key): _plain(item) for key, item in value.items()})
            return inline
        case tuple() | list() | set() | frozenset():
            return [_plain(item) for item in value]
        case _:
            return value
