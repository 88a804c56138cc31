"""Where a path stands, and the report that collects everything wrong with a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

import attrs

from gepa_framework.config.locate import dotted
from gepa_framework.config.structure import Faults
from gepa_framework.errors import ConfigError, PluginError, Problem


@attrs.frozen
class Places:
    """The places of all paths.

    Attributes:
        file: The file as the user named it.
        positions: Dotted path to 1-based line and column in the file.
        origins: Dotted path to the name of the override that set it.
    """

    file: str
    positions: Mapping[str, tuple[int, int]]
    origins: Mapping[str, str]

    def problem(self, path: str, message: str, hint: str = "") -> Problem:
        """Give a problem its place, or that of its nearest parent."""
        source = self._origin(path)
        if source:
            return Problem(path, message, hint, file=source)
        line, column = self._position(path)
        return Problem(path, message, hint, self.file, line, column)

    def _origin(self, path: str) -> str:
        for parent in _upwards(path):
            if parent in self.origins:
                return self.origins[parent]
        if path and path not in self.positions:
            below = (source for key, source in self.origins.items() if key.startswith(f"{path}."))
            return next(below, "")
        return ""

    def _position(self, path: str) -> tuple[int, int]:
        known = (self.positions[parent] for parent in _upwards(path) if parent in self.positions)
        return next(known, (0, 0))


def _upwards(path: str) -> Sequence[str]:
    """Give a path and its parents; a cut inside a quoted key names nothing and so is passed over."""
    cuts = [index for index, char in enumerate(path) if char == "."]
    return [path, *(path[:cut] for cut in reversed(cuts))] if path else []


@attrs.define
class Report:
    """Everything that is wrong with a document, to be said at once."""

    places: Places
    problems: list[Problem] = attrs.field(factory=list)
    warnings: list[Problem] = attrs.field(factory=list)
    refusals: list[tuple[Problem, PluginError]] = attrs.field(factory=list)

    def add(self, path: Sequence[str], message: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(self.places.problem(dotted(path), message, hint))

    def add_faults(self, path: Sequence[str], found: Faults) -> None:
        """Note the faults of the value at a path."""
        for fault in found.faults:
            self.add((*path, *fault.path), fault.message, fault.hint)

    def warn(self, path: Sequence[str], message: str, hint: str = "") -> None:
        """Note something legal that the user should know."""
        self.warnings.append(self.places.problem(dotted(path), message, hint))

    def refuse(self, path: Sequence[str], error: PluginError) -> None:
        """Note that a selected plugin cannot be used."""
        self.refusals.append((self.places.problem(dotted(path), error.message, error.hint), error))

    def sorted_warnings(self) -> tuple[Problem, ...]:
        """Give the warnings in the order of the file, those of overrides last."""
        return tuple(sorted(self.warnings, key=_order))

    def done(self) -> None:
        """End the reading.

        Raises:
            ConfigError: Something is wrong with the document; carries all of it, in the order of the file.
            PluginError: Only plugins are wrong: the first of their errors, with its place.
        """
        if self.problems:
            found = {*self.problems, *(problem for problem, _ in self.refusals)}
            raise_problems(self.places.file, sorted(found, key=_order))
        if self.refusals:
            problem, error = min(self.refusals, key=lambda refusal: _order(refusal[0]))
            # The hint stays the error's own; only the message gains the place.
            error.message = str(attrs.evolve(problem, hint=""))
            error.args = (error.message,)
            raise error


def raise_problems(file: str, problems: Sequence[Problem]) -> NoReturn:
    """Raise the one error that carries the problems."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise ConfigError(f"{count} in {file}", problems=tuple(problems))


def _order(problem: Problem) -> tuple[bool, int, int, str, str]:
    in_no_file = problem.line == 0
    return in_no_file, problem.line, problem.column, problem.path, problem.message
