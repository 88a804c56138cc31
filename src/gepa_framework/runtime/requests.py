"""What an effect asks, as a digest: independent of run, path, port, time and order."""

from __future__ import annotations

import hashlib

from gepa_framework.engine import Command, Describe, LoadProgram, LoadRows, Propose, Rollout
from gepa_framework.runtime.outlines import Outlines
from gepa_framework.types import Candidate, JSONObject, TaskRow, canonical_json, digest


class RequestDigests:
    """Digests of commands, with the large and recurring parts digested once.

    Args:
        transport: Name of the transport.
        proposer: Name of the proposer.
        proposer_config: The proposer's configuration; another one is another request.
        policy: The ``[policy]`` table.
    """

    def __init__(
        self, transport: str, proposer: str, proposer_config: JSONObject, policy: JSONObject
    ) -> None:
        self._transport = transport
        self._proposer = proposer
        self._proposer_config = digest(proposer_config)
        self._policy = digest(policy)
        self._outlines = Outlines(transport, proposer_config, policy)
        self._candidates: dict[str, str] = {}
        self._rows: dict[tuple[str, str], str] = {}

    def boundary(self, command: Command) -> str:
        """Give the name of the boundary that a command crosses."""
        if isinstance(command, Rollout):
            return "container.rollout"
        if isinstance(command, Propose):
            return f"proposer.{self._proposer}"
        if isinstance(command, LoadRows):
            return "container.dataset_rows"
        return "container.program" if isinstance(command, LoadProgram) else "container.metadata"

    def key(self, command: Command) -> str:
        """Give the SHA-256 of what the command asks."""
        if isinstance(command, Rollout):
            asked, on = command.candidate, command.row
            candidate = self._candidates.get(asked.id) or self._candidate(asked)
            row = self._rows.get((on.split, on.id)) or self._row(on)
            text = f"container.rollout\x1f{command.task_id}\x1f{self._policy}\x1f{candidate}\x1f{row}"
            return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        if isinstance(command, Propose):
            return self._proposal(command)
        return digest({"boundary": self.boundary(command), "request": self._request(command)})

    def outline(self, command: Command) -> JSONObject:
        """Give what the command asks, with digests for texts."""
        return self._outlines.of(command)

    def _proposal(self, command: Propose) -> str:
        """Give the digest of boundary, configuration and request, the text of the request used as it is."""
        boundary, config = canonical_json(self.boundary(command)), canonical_json(self._proposer_config)
        text = f'{{"boundary":{boundary},"request":{{"config":{config},"request":{command.text}}}}}'
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def _request(self, command: Describe | LoadProgram | LoadRows) -> JSONObject:
        if isinstance(command, LoadRows):
            wanted = command.request
            return {
                "split": wanted.split,
                "ids": wanted.ids,
                "seeds": wanted.seeds,
                "filters": wanted.filters,
            }
        return {"transport": self._transport}

    def _candidate(self, candidate: Candidate) -> str:
        texts: JSONObject = dict(candidate.components)
        known = self._candidates[candidate.id] = digest(texts)
        return known

    def _row(self, row: TaskRow) -> str:
        known = digest({"split": row.split, "id": row.id, "data": row.data})
        self._rows[row.split, row.id] = known
        return known
