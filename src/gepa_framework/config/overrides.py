"""What changes a document after it is parsed: the environment first, then ``--set``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from gepa_framework.config.document import parse_document
from gepa_framework.config.locate import LocateError, Parts, dotted, read_key
from gepa_framework.config.sections.policy import credential_shaped
from gepa_framework.config.structure import Faults, describe, fault, json_value
from gepa_framework.config.variables import VARIABLES, Variable
from gepa_framework.errors import ConfigError, Problem
from gepa_framework.types import compact_json

MASK = "[secret]"


@attrs.frozen
class Change:
    """What one override did.

    Attributes:
        source: Its name: a variable's, or ``--set`` with the path.
        path: The dotted path that it set.
        value: To what, as JSON, secrets masked.
    """

    source: str
    path: str
    value: str

    def __str__(self) -> str:
        """Give it as ``source: path = value``."""
        return f"{self.source}: {self.path} = {self.value}"


@attrs.define
class Overrides:
    """What was changed, and what could not be.

    Attributes:
        origins: Dotted path to the name of the override that set it last.
        changes: Each change, in the order in which they were made.
        sets: Each change as an argument of ``--set``.
        problems: What could not be applied.
    """

    origins: dict[str, str] = attrs.field(factory=dict)
    changes: list[Change] = attrs.field(factory=list)
    sets: list[str] = attrs.field(factory=list)
    problems: list[Problem] = attrs.field(factory=list)

    def refuse(self, source: str, path: str, refusal: Faults) -> None:
        """Note that an override cannot be applied."""
        self.problems.extend(Problem(path, each.message, each.hint, source) for each in refusal.faults)

    def put(self, data: dict[str, Any], source: str, parts: Parts, value: object, *, argument: str) -> None:
        """Set a value in a document, and note it."""
        path = dotted(parts)
        try:
            _put(data, parts, value)
        except Faults as refusal:
            self.refuse(source, path, refusal)
            return
        self.origins[path] = source
        self.changes.append(Change(source, path, _shown(parts, value)))
        self.sets.append(argument)


def apply_overrides(data: dict[str, Any], environ: Mapping[str, str], sets: Sequence[str]) -> Overrides:
    """Change a document in place: the environment first, ``--set`` arguments in their order after it.

    An empty variable counts as one that is not set.
    """
    made = Overrides()
    for variable in VARIABLES:
        _apply_variable(data, variable, environ, made)
    for argument in sets:
        _apply_argument(data, argument, made)
    return made


def _apply_variable(
    data: dict[str, Any], variable: Variable, environ: Mapping[str, str], made: Overrides
) -> None:
    given = {name: environ[name] for name in (variable.name, variable.alias) if environ.get(name)}
    if not given:
        return
    source, text = next(iter(given.items()))
    if len(set(given.values())) > 1:
        hint = "set one of them, or both to the same"
        said = f"{variable.name} and {variable.alias} are both set and differ"
        made.problems.append(Problem(variable.path, said, hint, source))
    value = variable.read(text)
    parts = tuple(variable.path.split("."))
    argument = f"{variable.path}={compact_json(value) if isinstance(value, str | int) else value}"
    made.put(data, source, parts, value, argument=argument)


def read_assignment(argument: str, option: str) -> tuple[str, object]:
    """Give the dotted path and the value of a ``path=value`` argument.

    Args:
        argument: As it was written.
        option: The option that it belongs to, for messages.

    Raises:
        ConfigError: It is no assignment, or its value no TOML.
    """
    try:
        parts, text = _split(argument)
        return dotted(parts), toml_value(text)
    except Faults as refusal:
        problems = tuple(
            Problem("", each.message, each.hint.replace("--set", option), option) for each in refusal.faults
        )
        raise ConfigError(f"{option} {argument[:80]} cannot be used", problems=problems) from refusal


def _apply_argument(data: dict[str, Any], argument: str, made: Overrides) -> None:
    try:
        parts, text = _split(argument)
    except Faults as refusal:
        made.refuse("--set", "", refusal)
        return
    source = f"--set {dotted(parts)}"
    try:
        value = toml_value(text)
    except Faults as refusal:
        made.refuse(source, dotted(parts), refusal)
        return
    made.put(data, source, parts, value, argument=argument)


def _split(argument: str) -> tuple[Parts, str]:
    try:
        parts, rest = read_key(argument)
    except LocateError as error:
        raise _no_assignment(argument, error.message) from error
    if not rest.startswith("="):
        raise _no_assignment(argument, "expected '='")
    return parts, rest[1:]


def _no_assignment(argument: str, why: str) -> Faults:
    return fault(f"'{argument[:80]}' is not an assignment: {why}", "write --set path.to.key=value")


def toml_value(text: str) -> object:
    """Give the TOML value that a text spells, or the text itself if it spells none.

    Raises:
        Faults: The text starts like a quoted string, an array or a table, but is none.
    """
    try:
        data = parse_document(f"value = {text}", "--set").data
    except ConfigError as error:
        if text.lstrip().startswith(('"', "'", "[", "{")):
            raise fault(
                f"is not a TOML value: {error.problems[0].message}", "quote it for the shell"
            ) from error
        return text
    # A line break could smuggle in a second key.
    return data["value"] if len(data) == 1 else text


def _put(data: dict[str, Any], parts: Parts, value: object) -> None:
    node: Any = data
    for depth, part in enumerate(parts[:-1]):
        node = _step(node, part, parts[:depth], missing={})
    last = parts[-1]
    if isinstance(node, list):
        node[_index(node, last, parts[:-1])] = value
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise _not_a_table(parts[:-1], node)


def _step(node: Any, part: str, at: Parts, missing: object) -> Any:
    if isinstance(node, list):
        return node[_index(node, part, at)]
    if isinstance(node, dict):
        return node.setdefault(part, missing)
    raise _not_a_table(at, node)


def _not_a_table(at: Parts, node: object) -> Faults:
    return fault(f"{dotted(at)} is not a table but {describe(node)}")


def _index(node: list[Any], part: str, at: Parts) -> int:
    if part.isdecimal() and len(part) <= len(str(len(node))) and int(part) < len(node):
        return int(part)
    raise fault(f"{dotted(at)} has {len(node)} entries and no entry '{part[:20]}'", "the first is entry 0")


def _shown(parts: Parts, value: object) -> str:
    if any(credential_shaped(part) for part in parts):
        return MASK
    try:
        return compact_json(json_value(masked(value)))  # type: ignore[arg-type]
    except Faults:
        return str(value)


def masked(value: object) -> object:
    """Give a value with what stands under credential-shaped keys masked."""
    if isinstance(value, dict):
        return {key: MASK if credential_shaped(key) else masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value
