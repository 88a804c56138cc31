"""Overtaking: proposals that come back after others have joined the pool."""

from __future__ import annotations

from collections.abc import Mapping

from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run
from gepa_framework.engine.turn import Turn
from gepa_framework.types import Joined, Overtaken
from gepa_framework.types.events import ProposalOvertaken

#: So many of those that joined are told of, the latest ones.
_MOST = 5


def lag(run: Run, turn: Turn) -> int:
    """Give how many candidates have joined the pool since the iteration began."""
    return len(run.pool.members) - turn.version


def is_overtaken(run: Run, turn: Turn) -> bool:
    """Tell whether a proposal that comes back now is taken as it is, or not."""
    pipelining = run.plan.pipelining
    return pipelining.staleness != "full" and lag(run, turn) > pipelining.delta_max


def note(run: Run, turn: Turn, parent: Member) -> None:
    """Put on record that a proposal was overtaken, and what becomes of it."""
    sent_back = run.plan.pipelining.staleness == "reflective"
    run.emit(
        ProposalOvertaken(
            iteration=turn.number,
            parent_id=parent.candidate.id,
            joined=lag(run, turn),
            action="sent_back" if sent_back else "dropped",
        )
    )


def overtaken_by(run: Run, turn: Turn, parent: Member, texts: Mapping[str, str]) -> Overtaken:
    """Give what has changed since a proposal was asked for, as its proposer is told."""
    return Overtaken(
        texts=texts,
        joined=tuple(
            Joined(
                candidate_id=member.candidate.id,
                iteration=member.iteration,
                score=run.pool.mean(member),
                changes=member.candidate.changes_from(parent.candidate),
            )
            for member in run.pool.members[turn.version :][-_MOST:]
        ),
    )
