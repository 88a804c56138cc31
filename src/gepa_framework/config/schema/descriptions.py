"""What is said of a table and of its keys: their help, or what the class says in its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import attrs

_ENTRY = re.compile(r"    (\w+): (.*)")


def described(cls: type[object]) -> str:
    """Give the first paragraph of a class, on one line."""
    return _plain((inspect.getdoc(cls) or "").partition("\n\n")[0])


def description(cls: type[object], field: attrs.Attribute[Any]) -> str:
    """Give what is said of a field; empty where nothing is."""
    said = field.metadata.get("help") or _attributes(cls).get(field.name, "")
    return _plain(str(said))


def _attributes(cls: type[object]) -> Mapping[str, str]:
    """Give the entries of the section ``Attributes`` of a docstring."""
    found: dict[str, str] = {}
    name = ""
    section = (inspect.getdoc(cls) or "").partition("\nAttributes:\n")[2]
    for line in section.splitlines():
        entry = _ENTRY.fullmatch(line)
        if entry:
            name = entry[1]
            found[name] = entry[2]
        elif name and line.startswith("        "):
            found[name] += " " + line.strip()
        else:
            name = ""
    return found


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())
