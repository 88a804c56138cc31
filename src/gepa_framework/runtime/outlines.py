"""Outlines of requests: enough to tell in what two differ, with digests where texts would be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from gepa_framework.engine import Command, LoadRows, Propose, Rollout
from gepa_framework.types import Candidate, JSONObject, JSONValue, TaskRow, digest

#: A longer text stands as its digest: it is kept elsewhere, once.
_LONGEST: Final = 60
#: Digits of a digest that are enough to tell two apart.
_DIGITS: Final = 16
#: What is nested deeper stands as its digest.
_DEPTH: Final = 3


class Outlines:
    """Outlines of commands, with the recurring parts made once.

    Args:
        transport: Name of the transport.
        proposer_config: The proposer's configuration.
        policy: The ``[policy]`` table.
    """

    def __init__(self, transport: str, proposer_config: JSONObject, policy: JSONObject) -> None:
        self._transport = transport
        self._config = brief(proposer_config)
        self._policy = brief(policy)
        self._candidates: dict[str, JSONValue] = {}
        self._rows: dict[tuple[str, str], JSONValue] = {}

    def of(self, command: Command) -> JSONObject:
        """Give the outline of a command, with what differs most often last."""
        if isinstance(command, Rollout):
            return {
                "task_id": brief(command.task_id),
                "policy": self._policy,
                "row": self._row(command.row),
                "candidate": self._candidate(command.candidate),
            }
        if isinstance(command, Propose):
            return {"config": self._config, "request": _of_request(command.text)}
        if isinstance(command, LoadRows):
            wanted = command.request
            return {
                "split": wanted.split,
                "ids": wanted.ids,
                "seeds": wanted.seeds,
                "filters": brief(wanted.filters),
            }
        return {"transport": self._transport}

    def _row(self, row: TaskRow) -> JSONValue:
        place = row.split, row.id
        if (known := self._rows.get(place)) is None:
            known = self._rows[place] = {"split": row.split, "id": brief(row.id), "data": _short(row.data)}
        return known

    def _candidate(self, candidate: Candidate) -> JSONValue:
        if (known := self._candidates.get(candidate.id)) is None:
            texts = {name: _short(text) for name, text in candidate.components.items()}
            known = self._candidates[candidate.id] = texts
        return known


def _of_request(text: str) -> JSONValue:
    """Give the outline of a request to a proposer, the texts of programs and tasks as digests."""
    fields = json.loads(text)
    for name in ("program", "task"):
        if fields.get(name):
            fields[name] = _short(fields[name])
    return brief(fields)


def brief(value: JSONValue, depth: int = _DEPTH) -> JSONValue:
    """Give a value with digests for long texts and for what is nested deep."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else _short(value)
    if isinstance(value, Mapping):
        return {key: brief(item, depth - 1) for key, item in value.items()} if depth else _short(value)
    if isinstance(value, Sequence):
        return [brief(item, depth - 1) for item in value] if depth else _short(value)
    return value


def _short(value: JSONValue) -> JSONValue:
    if isinstance(value, str):
        whole = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    elif value:
        whole = digest(value)
    else:
        return value
    return f"sha256:{whole[:_DIGITS]}"
