"""Requests as text: what exactly a proposer is asked, as it is digested and kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

import attrs

from gepa_framework.types import (
    ComponentSpec,
    EvidenceFrame,
    JSONObject,
    ProposalRequest,
    RejectedAttempt,
    canonical_json,
)
from gepa_framework.types.json import EMPTY

#: Fields that are always there. Those that came later are left out where they say nothing, so that a request
#: without them has the digest that it always had.
_ALWAYS: Mapping[type[object], frozenset[str]] = {
    ProposalRequest: frozenset(
        (
            *("proposal_id", "iteration", "parent", "components", "evidence", "rejected"),
            *("program", "task", "seed"),
        )
    ),
    EvidenceFrame: frozenset(
        ("row_id", "inputs", "reward", "output", "feedback", "objectives", "failure"),
    ),
    RejectedAttempt: frozenset(("candidate_id", "changes", "reason", "before", "after")),
    ComponentSpec: frozenset(("name", "module_id", "role", "objective")),
}
#: Gives the default of a field, which may depend on the other fields.
_Default: TypeAlias = Callable[[object], object]


def request_fields(request: ProposalRequest) -> JSONObject:
    """Give what is semantically asked: the request without its id and without the program's raw form."""
    program = attrs.evolve(request.program, raw=EMPTY)
    fields: dict[str, Any] = plain(attrs.evolve(request, program=program))
    del fields["proposal_id"]
    return fields


def request_text(request: ProposalRequest) -> str:
    """Give the request as canonical JSON, fit to be written as UTF-8; its SHA-256 is the request's digest."""
    text = canonical_json(request_fields(request))
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate is legal in JSON, as an escape, and in no file.
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    return text


def plain(value: Any) -> Any:
    """Give a value of `gepa_framework.types` as JSON values."""
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    fields = _fields(value.__class__)
    return value if fields is None else dict(_said(value, fields))


def _said(value: object, fields: tuple[tuple[str, _Default | None], ...]) -> Iterator[tuple[str, object]]:
    for name, default in fields:
        held = getattr(value, name)
        if default is None or held != default(value):
            yield name, plain(held)


@cache
def _fields(cls: Any) -> tuple[tuple[str, _Default | None], ...] | None:
    """Give each field with what gives its default, or ``None`` for one that is always there."""
    if not attrs.has(cls):
        return None
    always = _ALWAYS.get(cls)
    return tuple(
        (field.name, None if always is None or field.name in always else _default_of(field.default))
        for field in attrs.fields(cls)
    )


def _default_of(default: Any) -> _Default:
    if not isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return lambda _: default
    given: _Default = default.factory
    return given if default.takes_self else lambda _: default.factory()
