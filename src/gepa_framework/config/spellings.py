"""What a document says in one of several ways: found where it is written, and brought into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import attrs

from gepa_framework.config.places import Report
from gepa_framework.config.reader import Reader

#: Option to the choices that look at it.
Users: TypeAlias = Mapping[str, tuple[str, ...]]

RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "flash_evolve": "async_pipelined",
        "pareto_weighted": "pareto",
        "primary_improvement": "strict_improvement",
        "seeded_shuffle": "epoch_shuffled",
        "sequential_epoch": "ordered_epoch",
        "stratified_by_field": "stratified",
    }
)


@attrs.frozen
class Spelling:
    """One way in which a document says something that it can say in several.

    Attributes:
        path: Where.
        value: What, in the current vocabulary.
    """

    path: tuple[str, ...]
    value: Any


def written(reader: Reader, path: Sequence[str]) -> Mapping[str, Any]:
    """Give the table at a path as written; an empty one where there is none."""
    node: Any = reader.data
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def name_path(reader: Reader, path: tuple[str, str]) -> tuple[str, ...]:
    """Give the place of the name in what is a name or a table."""
    return (*path, "name") if isinstance(written(reader, path[:1]).get(path[1]), dict) else path


def translated(
    report: Report, path: tuple[str, ...], name: str | None, available: Sequence[str]
) -> list[Spelling]:
    """Give what a name is called now; nothing where there is none, or where it is not available."""
    if name is None:
        return []
    current = RENAMED.get(name, name)
    if current not in available:
        report.add(path, f'"{name}" is not available yet', f"available are {', '.join(available)}")
        return []
    if current != name:
        report.warn(path, f'"{name}" is called "{current}" here', "both are accepted")
    return [Spelling(path, current)]


def given(reader: Reader, path: tuple[str, ...], value: Any) -> list[Spelling]:
    """Give the spelling at a path, if there is one and its table could be read."""
    there = path[-1] in written(reader, path[:-1]) and path[0] not in reader.broken
    return [Spelling(path, value)] if there else []


def agreed(report: Report, spellings: Sequence[Spelling]) -> Any:
    """Give what all spellings say; a problem where they differ."""
    first = spellings[0]
    for other in spellings[1:]:
        if other.value != first.value:
            said = f"says {other.value} where {'.'.join(first.path)} says {first.value}"
            report.add(other.path, said, "keep one of them")
    return first.value


def warn_unused(reader: Reader, path: tuple[str, ...], options: Users, word: str, chosen: str) -> None:
    """Warn of options that are written although the choice does not look at them."""
    table = written(reader, path)
    for key, users in options.items():
        if key in table and chosen not in users:
            hint = f"it is for {', '.join(users)}"
            reader.report.warn((*path, key), f"has no effect with {word} {chosen}", hint)
