"""All plugins that are installed, and the rules by which one of them is picked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs
from packaging.utils import canonicalize_name

from gepa_framework.errors import PluginAmbiguousError, PluginIncompatibleError, PluginNotFoundError
from gepa_framework.plugins import advice
from gepa_framework.plugins.found import Found, Scan, State
from gepa_framework.plugins.requirements import FRAMEWORK, framework_range_refused
from gepa_framework.types import Kind
from gepa_framework.types.version import VERSION

_WORDS = {2: "two", 3: "three"}


@attrs.frozen
class Catalogue:
    """What is installed, each with its state.

    Attributes:
        founds: In the order of kind, name and distribution.
        problems: One sentence for each thing that a distribution got wrong.
    """

    founds: tuple[Found, ...]
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, scan: Scan, *, blocked: frozenset[str] = frozenset()) -> Catalogue:
        """Judge everything found; `blocked` holds normalised distribution names."""
        free = [found for found in scan.founds if canonicalize_name(found.dist) not in blocked]
        offers = Counter((found.kind, found.key) for found in free)
        judged = tuple(
            _judge(found, blocked, offers[found.kind, found.key], VERSION) for found in scan.founds
        )
        return cls(judged, scan.problems)

    def pick(self, kind: Kind, name: str) -> Found:
        """Give the one plugin that a name selects.

        Args:
            kind: Its kind.
            name: Its name, or ``dist:name``.

        Raises:
            PluginNotFoundError: Nobody offers it.
            PluginAmbiguousError: More than one distribution offers it.
            PluginIncompatibleError: It is blocked, or asks for another version of the framework.
        """
        dist, _, bare = name.rpartition(":")
        matching = self._matching(kind, canonicalize_name(bare), canonicalize_name(dist))
        if not matching:
            raise self._not_found(kind, bare, dist)
        free = [found for found in matching if found.state is not State.BLOCKED]
        if len(free) > 1:
            raise _ambiguous(free)
        found = (free or matching)[0]
        _refuse_unusable(found)
        return found

    def _matching(self, kind: Kind, key: str, dist: str) -> list[Found]:
        return [
            found
            for found in self.founds
            if (found.kind, found.key) == (kind, key) and dist in ("", canonicalize_name(found.dist))
        ]

    def _not_found(self, kind: Kind, bare: str, dist: str) -> PluginNotFoundError:
        usable = [found for found in self.founds if found.kind is kind and found.state is not State.BLOCKED]
        if dist and self._matching(kind, canonicalize_name(bare), ""):
            others = ", ".join(found.qualified for found in usable if found.key == canonicalize_name(bare))
            return PluginNotFoundError(
                f"{dist} offers no {kind} called '{bare}'", hint=f"these do: {others}" if others else ""
            )
        hint = advice.cure(kind, bare, usable, self.problems)
        return PluginNotFoundError(f"no {kind} called '{bare}'", hint=hint)


def _judge(found: Found, blocked: frozenset[str], offers: int, version: str) -> Found:
    if canonicalize_name(found.dist) in blocked:
        return attrs.evolve(found, state=State.BLOCKED, note="blocked")
    if wants := framework_range_refused(found.requires):
        return attrs.evolve(found, state=State.INCOMPATIBLE, note=f"wants {FRAMEWORK} {wants}, not {version}")
    if offers > 1:
        return attrs.evolve(found, state=State.AMBIGUOUS, note=f"{_WORDS.get(offers, offers)} offer it")
    return found


def _ambiguous(offering: Sequence[Found]) -> PluginAmbiguousError:
    first = offering[0]
    dists = {canonicalize_name(found.dist) for found in offering}
    if len(dists) == 1:
        targets = ", ".join(found.target for found in offering)
        return PluginAmbiguousError(
            f"{first.dist} {first.version} offers the {first.kind} '{first.name}' more than once: {targets}",
            hint="names that differ by '-', '_' or case only are one name; tell its makers",
        )
    count = _WORDS.get(len(offering), len(offering))
    named = ", ".join(f"{found.dist} {found.version}" for found in offering)
    return PluginAmbiguousError(
        f"{count} distributions offer the {first.kind} '{first.name}': {named}",
        hint="write " + " or ".join(f'"{found.qualified}"' for found in offering),
    )


def _refuse_unusable(found: Found) -> None:
    if found.state is State.BLOCKED:
        raise PluginIncompatibleError(
            f"{found.owner} is blocked", hint=f"take '{found.dist}' out of plugins.block, or select another"
        )
    if found.state is State.INCOMPATIBLE:
        raise PluginIncompatibleError(
            f"{found.owner} {found.note}", hint=f"pip install --upgrade {found.dist} {FRAMEWORK}"
        )
