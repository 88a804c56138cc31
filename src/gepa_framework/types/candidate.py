"""Candidates: named component texts, addressed by their content."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

import attrs

from gepa_framework.types.json import EMPTY, digest

NO_TEXTS = cast("Mapping[str, str]", EMPTY)


def freeze_texts(value: Mapping[str, str]) -> Mapping[str, str]:
    """Give a read-only copy with its keys in order."""
    if value is NO_TEXTS:
        return value
    return MappingProxyType({name: value[name] for name in sorted(value)}) if len(value) else NO_TEXTS


@attrs.frozen
class Candidate:
    """Named component texts, kept byte for byte.

    Attributes:
        id: ``<prefix>_<12 hex digits>`` of the content's digest: equal texts have equal ids.
        components: Component name to text.
    """

    id: str
    components: Mapping[str, str] = attrs.field(converter=freeze_texts, eq=False)

    @classmethod
    def of(cls, components: Mapping[str, str], *, prefix: str = "gepa") -> Candidate:
        """Make the candidate that these texts are."""
        return cls(id=f"{prefix}_{digest(dict(components))[:12]}", components=components)

    def changes_from(self, other: Candidate) -> dict[str, str]:
        """Give the texts in which this one differs from another of the same components, by component."""
        before = other.components
        return {name: text for name, text in self.components.items() if before[name] != text}

    def evolve(self, changes: Mapping[str, str]) -> Candidate:
        """Make the candidate that differs from this one by the given components."""
        prefix, _, _ = self.id.rpartition("_")
        return Candidate.of({**self.components, **changes}, prefix=prefix)
