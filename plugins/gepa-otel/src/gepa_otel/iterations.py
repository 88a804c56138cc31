"""Iterations under way: when each began, what happened in it, and whether it is over."""

from __future__ import annotations

from typing import Final

import attrs

from gepa_framework.types import EventBody
from gepa_framework.types.events import (
    CandidateDuplicateSkipped,
    CandidateEvaluated,
    CandidateRejected,
    FrontierUpdated,
    IterationSkipped,
    IterationStarted,
    MergeProposed,
    ProposalOvertaken,
    ProposerFailed,
    ProposerStarted,
)
from gepa_otel.spans import Note

#: What is heard first of an iteration, by whoever hears all of it.
_BEGINNINGS: Final = (IterationStarted, MergeProposed)
#: What a proposal comes to in the end, one way or the other; two more are told by their fields.
_ENDS: Final = (
    CandidateDuplicateSkipped,
    CandidateRejected,
    FrontierUpdated,
    IterationSkipped,
    ProposerFailed,
)


@attrs.define
class Iteration:
    """One iteration, as far as it is known.

    Attributes:
        number: 1-based.
        began_ns: Nanoseconds since 1970.
        ended_ns: When the last of it was heard of so far.
        notes: What happened in it.
        whole: Whether its beginning was heard, and not by another process.
        parent_id: The candidate that was to be improved first.
        parents: Pairs of a parent and a minibatch that were tried.
        skipped: Those of them that there was nothing to learn from.
        proposals: Proposals that were asked for, or made by merging.
        ended: Those of them that have come to their end.
    """

    number: int
    began_ns: int
    ended_ns: int = 0
    notes: list[Note] = attrs.field(factory=list)
    whole: bool = False
    parent_id: str = ""
    parents: int = 0
    skipped: int = 0
    proposals: int = 0
    ended: int = 0

    def hear(self, body: EventBody, note: Note) -> None:
        """Take note of an event of the iteration."""
        self.whole = self.whole or (not self.notes and is_beginning(body))
        self.notes.append(note)
        self.ended_ns = max(self.ended_ns, note.at_ns)
        if isinstance(body, IterationStarted):
            self.parents += 1
            self.parent_id = self.parent_id or body.parent_id
        elif isinstance(body, IterationSkipped) and not self.proposals:
            self.skipped += 1
        elif isinstance(body, ProposerStarted | MergeProposed):
            self.proposals += 1
        elif _is_end(body):
            self.ended += 1

    @property
    def over(self) -> bool:
        """Whether nothing more is to come of it; who did not hear its beginning cannot tell."""
        return self.whole and self.even

    @property
    def even(self) -> bool:
        """Whether something of it has ended, and nothing that was heard to begin has not."""
        if self.proposals or self.ended:
            return self.ended >= self.proposals
        return self.skipped >= max(1, self.parents)


def is_beginning(body: EventBody) -> bool:
    """Tell whether an iteration begins with this."""
    return isinstance(body, _BEGINNINGS)


def _is_end(body: EventBody) -> bool:
    if isinstance(body, CandidateEvaluated):
        return body.score is None  # it joins no pool, which would be the end
    if isinstance(body, ProposalOvertaken):
        return body.action == "dropped"
    return isinstance(body, _ENDS)
