"""The answer that is asked for, and the check that it is that."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from gepa_framework.types import Edit

_EDIT: Final = ("component", "search", "replace")


class AnswerError(ValueError):
    """The answer cannot be used; the message is fit to be sent back to the model."""


@attrs.frozen
class Answer:
    """A usable answer.

    Attributes:
        rationale: Why the new texts should be better.
        changes: Component name to new text, for those that are given one in full.
        edits: Component name to edits of its current text, for those that are edited.
    """

    rationale: str
    changes: Mapping[str, str]
    edits: Mapping[str, tuple[Edit, ...]] = attrs.field(factory=dict)


def output_schema(components: tuple[str, ...]) -> dict[str, Any]:
    """Give the strict JSON Schema of an answer: every property required, no others allowed."""
    text = {"type": "string"}
    candidate = {name: {"type": ["string", "null"]} for name in components}
    which = {"type": "string", "enum": list(components)}
    edit = _strict({"component": which, "search": text, "replace": text})
    edits = {"type": "array", "items": edit}
    return _strict({"rationale": text, "candidate": _strict(candidate), "edits": edits})


def _strict(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": dict(properties),
    }


def parse_answer(
    text: str, components: tuple[str, ...], current: Mapping[str, str], is_secret: Callable[[str], bool]
) -> Answer:
    """Check an answer and keep what changes.

    Args:
        text: What the model said.
        components: Names that must be there, and no others.
        current: The texts that it was asked to improve.
        is_secret: Tells whether a text holds a credential.

    Raises:
        AnswerError: It is not the object that was asked for.
    """
    answer = _load(text)
    _same_keys(answer, {"rationale", "candidate", "edits"}, "the answer")
    rationale, candidate = answer["rationale"], answer["candidate"]
    if not isinstance(rationale, str):
        raise AnswerError("rationale is not a string")
    if not isinstance(candidate, dict):
        raise AnswerError("candidate is not an object")
    _same_keys(candidate, set(components), "candidate")
    given = {name: text for name, text in candidate.items() if text is not None}
    for name, value in given.items():
        _check_text(name, value, is_secret)
    # White space at the ends is no change: models drop it when they repeat a text.
    changes = {n: t for n, t in given.items() if t.strip() != current.get(n, "").strip()}
    edits = _edits(answer["edits"], components, is_secret)
    for name in changes:
        if name in edits:
            raise AnswerError(f"candidate.{name} is a new text and there are edits for it; give one of them")
    return Answer(rationale, changes, edits)


def _edits(
    value: object, components: Sequence[str], is_secret: Callable[[str], bool]
) -> Mapping[str, tuple[Edit, ...]]:
    """Read the edits; whether they can be made is for the framework to say."""
    if not isinstance(value, list):
        raise AnswerError("edits is not an array")
    found: dict[str, tuple[Edit, ...]] = {}
    for index, entry in enumerate(value):
        name, edit = _edit(entry, f"edits[{index}]", components, is_secret)
        found[name] = (*found.get(name, ()), edit)
    return found


def _edit(
    entry: object, where: str, components: Sequence[str], is_secret: Callable[[str], bool]
) -> tuple[str, Edit]:
    if not isinstance(entry, dict):
        raise AnswerError(f"{where} is not an object")
    _same_keys(entry, set(_EDIT), where)
    for key in _EDIT:
        if not isinstance(entry[key], str):
            raise AnswerError(f"{where}.{key} is not a string")
    if entry["component"] not in components:
        raise AnswerError(f"{where}.component must be one of {', '.join(components)}")
    if not entry["search"]:
        raise AnswerError(f"{where}.search is empty")
    if is_secret(entry["replace"]):
        raise AnswerError(f"{where}.replace holds a credential")
    return entry["component"], Edit(entry["search"], entry["replace"])


def _load(text: str) -> dict[str, Any]:
    if not text.strip():
        raise AnswerError("it is empty")
    if text.lstrip().startswith("```"):
        raise AnswerError("it stands in a code fence")
    try:
        answer = json.loads(text, object_pairs_hook=_no_doubles)
    except json.JSONDecodeError as error:
        ended = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        kind = "it is cut off" if ended else "it is not JSON"
        raise AnswerError(f"{kind}: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise AnswerError("it is nested too deeply") from error
    if not isinstance(answer, dict):
        raise AnswerError("it is not a JSON object")
    return answer


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise AnswerError("a name occurs twice in one object")
    return result


def _same_keys(found: Mapping[str, Any], wanted: set[str], where: str) -> None:
    missing, unknown = sorted(wanted - set(found)), sorted(set(found) - wanted)
    if missing:
        raise AnswerError(f"{where} lacks {', '.join(missing)}")
    if unknown:
        names = ", ".join(name[:80] for name in unknown[:10])
        raise AnswerError(f"{where} has unknown names: {names}; allowed are {', '.join(sorted(wanted))}")


def _check_text(name: str, value: object, is_secret: Callable[[str], bool]) -> None:
    if not isinstance(value, str):
        raise AnswerError(f"candidate.{name} is not a string")
    if not value.strip():
        raise AnswerError(f"candidate.{name} is empty")
    if is_secret(value):
        raise AnswerError(f"candidate.{name} holds a credential")
