"""What everything in a new distribution is called, from the one name that was asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import attrs
from packaging.version import Version

from gepa_framework.errors import GepaError
from gepa_framework.hookspecs import API_VERSION
from gepa_framework.types import Kind
from gepa_framework.types.version import VERSION

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_LONGEST = 50
#: How each kind is selected, as TOML; an extra is typed.
_SELECTED = {
    Kind.PROPOSER: '[proposer]\nbackend = "{}"',
    Kind.TRANSPORT: '[container]\ntransport = "{}"',
    Kind.CACHE: '[cache]\nbackend = "{}"',
    Kind.STOPPER: '[[stoppers]]\nuse = "{}"',
    Kind.LISTENER: '[[listeners]]\nuse = "{}"',
    Kind.EXECUTOR: '[executor]\nuse = "{}"',
    Kind.STORE: '[store]\nuse = "{}"',
}
#: What the plugin of each kind does as it is made.
_WHAT = {
    Kind.PROPOSER: "adds a line for each thing that was missed",
    Kind.TRANSPORT: "a small task of its own, without a container",
    Kind.CACHE: "keeps answers in a dictionary",
    Kind.STOPPER: "ends the search after a number of rollouts",
    Kind.LISTENER: "writes the number and the type of every event to a file",
    Kind.EXECUTOR: "runs calls in this process, so many at once",
    Kind.STORE: "keeps the journal as lines of JSON",
    Kind.EXTRA: "tells how runs ended",
}
_COOKBOOK = "a small task with its data, and a proposer that needs no model"
_SCENARIO = "a small task that is ready to be run"
#: What one asks for by name as one does for a kind, and what is an extra of a certain name.
SCENARIO: Final = "scenario"


@attrs.frozen
class Named:
    """A new distribution.

    Attributes:
        kind: The plugin's kind.
        name: The plugin's name.
        cookbook: Whether it brings a task besides.
        scenario: Whether it brings a task that is ready to be run.
    """

    kind: Kind
    name: str
    cookbook: bool = False
    scenario: bool = False

    @property
    def noun(self) -> str:
        """What people call it."""
        if self.cookbook:
            return "cookbook"
        return SCENARIO if self.scenario else self.kind.value

    @property
    def dist(self) -> str:
        """The distribution."""
        return f"gepa-{self.noun}-{self.name.replace('_', '-')}"

    @property
    def entry(self) -> str:
        """The name of its entry point."""
        return f"{SCENARIO}.{self.name}" if self.scenario else self.name

    @property
    def proposer(self) -> str:
        """The proposer that a task brings; that of a scenario leaves the name itself to others."""
        if not self.scenario:
            return self.name
        return f"{self.name}{'-' if '-' in self.name else '_'}cards"

    @property
    def module(self) -> str:
        """The package."""
        return self.dist.replace("-", "_")

    @property
    def directory(self) -> Path:
        """Where it is written unless another place is named."""
        return Path(self.dist)

    def words(self) -> dict[str, str]:
        """Give everything that templates put in."""
        whole = {"cookbook": _COOKBOOK, SCENARIO: _SCENARIO}
        what = whole.get(self.noun) or _WHAT[self.kind]
        return {
            "kind": self.kind.value,
            "name": self.name,
            "command": self.name,
            "entry": self.entry,
            "proposer": self.proposer,
            "dist": self.dist,
            "module": self.module,
            "group": self.kind.group,
            "cls": "".join(part.capitalize() for part in re.split("[_-]", self.name)),
            "what": what,
            "description": f"{self.noun.capitalize()} for gepa-framework: {what}.",
            "select": self._select(),
            "api": _range(API_VERSION, 1),
            "framework": f"gepa-framework{_range(VERSION, 2 if Version(VERSION).major == 0 else 1)}",
            "python": ">=3.11",
        }

    def _select(self) -> str:
        if self.kind is Kind.EXTRA:
            return f"```console\n$ gepa {self.name} --help\n```"
        return f"```toml\n{_SELECTED[self.kind].format(self.name)}\n```"


def named(kind: Kind, name: str, *, cookbook: bool = False, scenario: bool = False) -> Named:
    """Give a new distribution its names.

    Raises:
        GepaError: The name cannot be that of a plugin; says which one could.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        near = re.sub("[^a-z0-9]+", "_", name.strip().lower())[:_LONGEST].strip("_").lstrip("0123456789_")
        rule = f"lower case letters, digits, '_' and '-', a letter first, at most {_LONGEST} characters"
        raise GepaError(
            f"{name!r} is no name for a plugin: {rule}", hint=f"did you mean '{near}'?" if near else ""
        )
    return Named(kind, name, cookbook, scenario)


def _range(version: str, parts: int) -> str:
    """Give the range from a version to the next that may break what was written for it."""
    release = (*Version(version).release, 0, 0)
    low = ".".join(map(str, release[:2]))
    high = ".".join(map(str, (*release[: parts - 1], release[parts - 1] + 1)))
    return f">={low},<{high}"
