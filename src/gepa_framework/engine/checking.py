"""Checking a proposal before a rollout is spent on it. A text is taken as it is, or refused; never mended.

Each fault is a sentence for whoever wrote the answer: it says what is wrong and, where that is not plain,
what to do. What a program could want is let through: a rule that refuses ordinary texts has no place here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from gepa_framework.engine.editing import EditError, apply_edits, shown
from gepa_framework.engine.fences import ends_in_fence, is_one_fence
from gepa_framework.types import Proposal, ProposalRequest, Repair
from gepa_framework.types.json import JSONObject, compact_json

#: Faults named for one answer; more would say nothing new.
_FAULTS: Final = 20
#: Characters of a refused answer that the next request repeats.
ANSWER_LIMIT: Final = 20_000


@attrs.frozen
class Checked:
    """A proposal that was looked at.

    Attributes:
        texts: Component name to new text; all of them can be used when there is no fault.
        faults: What is wrong, each a sentence.
    """

    texts: Mapping[str, str]
    faults: tuple[str, ...]


def check(request: ProposalRequest, proposal: Proposal, *, limit: int) -> Checked:
    """Work out the new texts of a proposal and find what is wrong with them.

    Args:
        request: What was asked.
        proposal: What was answered.
        limit: Characters that a text may have.
    """
    faults: list[str] = []
    if proposal.truncated:
        faults.append("the answer was cut off before its end; a shorter one, of edits, may fit")
    texts: dict[str, str] = {}
    for name in {**proposal.components, **proposal.edits}:
        try:
            texts[name] = _text(request, proposal, name)
        except _UnusableError as error:
            faults.append(str(error))
            continue
        what_is_wrong = _text_faults(request, name, texts[name], limit)
        faults += (f"the text of {shown(name)} {what}" for what in what_is_wrong)
    if len(faults) > _FAULTS:
        faults[_FAULTS:] = [f"there are {len(faults) - _FAULTS} faults more"]
    return Checked(texts, tuple(faults))


class _UnusableError(ValueError):
    """A component of an answer is no text at all."""


def _text(request: ProposalRequest, proposal: Proposal, name: str) -> str:
    """Give the new text of a component."""
    if name not in request.components:
        allowed = ", ".join(map(repr, request.components))
        raise _UnusableError(f"{shown(name)} may not be changed; the request names {allowed}")
    if name not in proposal.edits:
        text = proposal.components[name]
        if not isinstance(text, str):
            raise _UnusableError(f"the text of {shown(name)} is {type(text).__name__}, not a string")
        return text
    if name in proposal.components:
        raise _UnusableError(f"{shown(name)} has both a new text and edits; give one of them")
    try:
        return apply_edits(request.parent.components[name], proposal.edits[name])
    except EditError as error:
        raise _UnusableError(f"the text of {shown(name)} cannot be edited: {error}") from error


def _text_faults(request: ProposalRequest, name: str, text: str, limit: int) -> Iterator[str]:
    parent = request.parent.components[name]
    if text == parent:
        return
    if not text.strip():
        yield "is empty"
        return
    if len(text) > limit:
        yield f"has {len(text)} characters, and {limit} are allowed"
        return
    if is_one_fence(text) and not is_one_fence(parent):
        yield "stands in a code fence as a whole, which the current text does not; give it without"
    elif ends_in_fence(text) and not ends_in_fence(parent):
        yield "ends inside of a code fence that is never closed; it may have been cut off"
    if _is_object(text) and not _is_json(parent):
        yield "is a JSON object, which the current text is not; give the text alone"
    yield from _lost_variables(request, name, text)


def _is_object(text: str) -> bool:
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return False
    value = _parsed(text)
    return isinstance(value, dict) and bool(value)


def _is_json(text: str) -> bool:
    return isinstance(_parsed(text), dict | list)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _lost_variables(request: ProposalRequest, name: str, text: str) -> Iterator[str]:
    declared = (spec.template_variables for spec in request.program.components if spec.name == name)
    parent = request.parent.components[name]
    for variable in dict.fromkeys(variable for several in declared for variable in several):
        placeholder = _placeholder(variable)
        if (had := placeholder.search(parent)) and not placeholder.search(text):
            yield f"has lost the variable {shown(had[0])}, which the program fills in"


def _placeholder(variable: str) -> re.Pattern[str]:
    """Give what the variable looks like in a text: its name in braces, and perhaps how to format it."""
    name = re.escape(variable.strip().strip("{}").strip())
    return re.compile(r"\{[ \t]*" + name + r"[ \t]*(?:[!:.\[|][^{}\n]*)?\}")


def repair_of(proposal: Proposal, faults: tuple[str, ...]) -> Repair:
    """Give what the proposer is told when it is asked again."""
    edits: JSONObject = {
        name: [{"search": edit.search, "replace": edit.replace} for edit in several]
        for name, several in proposal.edits.items()
    }
    answer = compact_json({"components": dict(proposal.components), "edits": edits})
    left_out = len(answer) - ANSWER_LIMIT
    if left_out > 0:
        half = ANSWER_LIMIT // 2
        answer = f"{answer[:half]}[... {left_out} characters left out ...]{answer[-half:]}"
    return Repair(faults, answer)
