"""Where values came from, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gepa_framework.cli.words import clean, one_line, table

if TYPE_CHECKING:
    from gepa_framework.config.explained import Explained

_WIDTH = 48
#: A longer list is shown by its beginning and its length.
_ITEMS = 6


def explained_text(values: Sequence[Explained]) -> str:
    """Give the values by table, each with its source and what there is to know of it."""
    tables: dict[str, list[Explained]] = {}
    for value in values:
        tables.setdefault(value.path.rpartition(".")[0], []).append(value)
    # What is in no table comes first, as in a file.
    blocks = [_block(name, tables[name]) for name in sorted(tables, key=bool)]
    return clean("\n\n".join("\n".join(block) for block in blocks))


def _block(name: str, values: Sequence[Explained]) -> Iterator[str]:
    if name:
        yield f"[{name}]"
    rows = table([(_key(value), "=", _shown(value.value), _source(value)) for value in values], indent="  ")
    for row, value in zip(rows, values, strict=True):
        yield row
        for overruled in value.overruled:
            yield f"      overrules {overruled.source}: {_shown(overruled.value)}"
        if value.note:
            yield f"      {one_line(value.note)}"


def _key(value: Explained) -> str:
    return value.path.rpartition(".")[2]


def _source(value: Explained) -> str:
    return f"{value.source} as {value.written_as}" if value.written_as else value.source


def _shown(value: Any) -> str:
    from gepa_framework.types import compact_json

    if value is None:
        return "none"
    if isinstance(value, list | tuple) and len(value) > _ITEMS:
        first = ", ".join(compact_json(item) for item in value[: _ITEMS // 2])
        return one_line(f"[{first}, … {len(value)} in all]", _WIDTH)
    return one_line(value if isinstance(value, str) and "\n" in value else compact_json(value), _WIDTH)
