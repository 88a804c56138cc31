"""What is installed, read from the distributions' metadata: nothing is imported."""

from __future__ import annotations

import difflib
import enum
import importlib
from collections.abc import Iterable
from importlib import metadata

import attrs
from packaging.utils import canonicalize_name

from gepa_framework.types import Kind

_PREFIX = "gepa_framework."
#: What the name of an extra that has scenarios begins with.
SCENARIO = "scenario."
_KINDS = {kind.group: kind for kind in Kind}


class State(enum.StrEnum):
    """Whether a plugin could be selected by its bare name."""

    OK = "ok"
    BLOCKED = "blocked"
    INCOMPATIBLE = "incompatible"
    AMBIGUOUS = "ambiguous"


@attrs.frozen
class Found:
    """One entry point of one installed distribution.

    Attributes:
        kind: The kind of its group.
        name: The entry point's name, as the distribution spells it.
        dist: The distribution, as it spells itself.
        version: The distribution's version.
        target: ``module`` or ``module:object``.
        requires: The distribution's own ``Requires-Dist`` lines.
        state: Whether it could be selected.
        note: The state in the words of ``gepa plugins list``, such as ``wants gepa-framework >=0.2``.
    """

    kind: Kind
    name: str
    dist: str
    version: str
    target: str
    requires: tuple[str, ...] = ()
    state: State = State.OK
    note: str = State.OK.value

    @property
    def key(self) -> str:
        """The name under which it is compared: ``-``, ``_`` and case do not tell names apart."""
        return canonicalize_name(self.name)

    @property
    def scenario(self) -> str:
        """The name that the ids of its scenarios begin with; empty where it has none."""
        named = self.kind is Kind.EXTRA and self.name.startswith(SCENARIO)
        return self.name.removeprefix(SCENARIO) if named else ""

    @property
    def qualified(self) -> str:
        """The name that is never ambiguous between distributions."""
        return f"{self.dist}:{self.name}"

    @property
    def owner(self) -> str:
        """How errors speak of it."""
        return f"the {self.kind} '{self.name}' of {self.dist} {self.version}"


@attrs.frozen
class Scan:
    """Everything found, and what could not be made sense of.

    Attributes:
        founds: In the order of kind, name and distribution.
        problems: One sentence for each thing that a distribution got wrong.
    """

    founds: tuple[Found, ...]
    problems: tuple[str, ...]


def scan() -> Scan:
    """Read the metadata of every installed distribution afresh."""
    importlib.invalidate_caches()
    founds: list[Found] = []
    problems: list[str] = []
    seen: set[str] = set()
    for dist in metadata.distributions():
        try:
            if _is_first_offer(dist, seen):
                founds += _founds(dist)
                problems += _strays(dist)
        except Exception as error:  # noqa: BLE001 - whatever one distribution's metadata holds, the others count
            problems.append(f"the entry points of {_label(dist)} cannot be read: {error}")
    founds.sort(key=lambda found: (found.kind, found.key, canonicalize_name(found.dist)))
    return Scan(tuple(founds), tuple(problems))


def _is_first_offer(dist: metadata.Distribution, seen: set[str]) -> bool:
    """Tell whether it speaks of us and is not shadowed: the first of one name on the path is what imports."""
    # Parsing all metadata of a large environment is slow; this file is short and mostly absent.
    if _PREFIX not in (dist.read_text("entry_points.txt") or ""):
        return False
    key = canonicalize_name(_field(dist, "Name"))
    if key in seen:
        return False
    seen.add(key)
    return True


def _field(dist: metadata.Distribution, name: str) -> str:
    if name not in dist.metadata:
        raise ValueError(f"its metadata has no {name}")
    return dist.metadata[name]


def _label(dist: metadata.Distribution) -> str:
    try:
        return _field(dist, "Name")
    except ValueError:
        return f"a distribution in {dist.locate_file('')}"


def _founds(dist: metadata.Distribution) -> list[Found]:
    name, version = _field(dist, "Name"), _field(dist, "Version")
    requires = tuple(dist.requires or ())
    points = {
        (entry.group, canonicalize_name(entry.name), entry.value): entry
        for entry in dist.entry_points
        if entry.group in _KINDS
    }
    return [
        Found(_KINDS[entry.group], entry.name, name, version, entry.value, requires)
        for entry in points.values()
    ]


def _strays(dist: metadata.Distribution) -> Iterable[str]:
    groups = {entry.group for entry in dist.entry_points if entry.group.startswith(_PREFIX)}
    for group in sorted(groups - set(_KINDS)):
        near = difflib.get_close_matches(group, _KINDS, n=1)
        cure = f"; did you mean '{near[0]}'?" if near else ""
        yield f"{_label(dist)} declares the unknown entry-point group '{group}'{cure}"
