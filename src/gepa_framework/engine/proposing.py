"""Proposing: what is asked of the proposer, and which answers are refused before a rollout is spent."""

from __future__ import annotations

import attrs

from gepa_framework._core import STREAM_PROPOSAL, Rng
from gepa_framework.engine.effects import ProposalFailure, Propose
from gepa_framework.engine.flow import Flow, ask
from gepa_framework.engine.plan import ComponentRule
from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run
from gepa_framework.engine.turn import Turn
from gepa_framework.errors import InvariantError, RunFailedError
from gepa_framework.types import (
    Candidate,
    EvidenceFrame,
    JSONObject,
    Proposal,
    ProposalRequest,
    digest,
)
from gepa_framework.types.events import (
    CandidateDuplicateSkipped,
    CandidateRegistered,
    IterationSkipped,
    ProposerCompleted,
    ProposerFailed,
    ProposerStarted,
)
from gepa_framework.types.json import EMPTY


def request_fields(request: ProposalRequest) -> JSONObject:
    """Give what is semantically asked: the request without its id and without the program's raw form."""
    program = attrs.evolve(request.program, raw=EMPTY)
    fields = attrs.asdict(attrs.evolve(request, program=program))
    del fields["proposal_id"]
    return fields


def propose(
    run: Run, turn: Turn, parent: Member, evidence: tuple[EvidenceFrame, ...], *, slot: int = 0
) -> Flow[Candidate | None]:
    """Ask for a child of the parent; ``None`` when none came that is worth a rollout.

    Args:
        run: The run.
        turn: The iteration that it is asked for in.
        parent: What is to be improved.
        evidence: How the parent did.
        slot: Position among the proposals of the iteration, from 0.
    """
    request = _request(run, turn, parent, evidence, slot)
    run.emit(
        ProposerStarted(
            iteration=turn.number,
            parent_id=parent.candidate.id,
            components=request.components,
            evidence=len(evidence),
            request_digest=digest(request_fields(request)),
        )
    )
    # Booked as soon as it is in: it is paid for whatever becomes of the rest of the iteration.
    outcome = yield from ask(
        Propose(request.proposal_id, request), lambda _, given: run.count_proposal(turn, given)
    )
    if not isinstance(outcome, Proposal | ProposalFailure):
        raise InvariantError("a proposal came back as something else")
    usage = run.priced(outcome)
    if isinstance(outcome, ProposalFailure):
        _failed(run, turn, parent, outcome.code, outcome.message)
        return None
    if fault := _fault(request, outcome):
        _failed(run, turn, parent, "invalid_proposal", fault)
        return None
    return _child(run, turn, parent, attrs.evolve(outcome, usage=usage))


def _request(
    run: Run, turn: Turn, parent: Member, evidence: tuple[EvidenceFrame, ...], slot: int
) -> ProposalRequest:
    components = run.targets
    if run.plan.component_rule is ComponentRule.ROUND_ROBIN:
        components = (run.pool.next_component(parent.candidate.id, components),)
    return ProposalRequest(
        proposal_id=f"proposal/{turn.number}" + (f"/{slot}" if slot else ""),
        iteration=turn.number,
        parent=parent.candidate,
        components=components,
        evidence=evidence,
        rejected=run.pool.rejected(parent.candidate.id),
        program=run.program,
        task=run.info.task if run.info else EMPTY,
        seed=_seed(run, turn, slot),
    )


def _seed(run: Run, turn: Turn, slot: int) -> int:
    rng = Rng(run.plan.seed, STREAM_PROPOSAL, turn.number)
    return [rng.next_u64() for _ in range(slot + 1)][slot]


def _fault(request: ProposalRequest, proposal: Proposal) -> str:
    allowed = set(request.components)
    for name, text in proposal.components.items():
        if name not in allowed:
            return f"{name!r} may not be changed; the request names {sorted(allowed)}"
        if not isinstance(text, str):
            return f"the text of {name!r} is {type(text).__name__}, not a string"
        if not text.strip():
            return f"the text of {name!r} is empty"
    return ""


def _failed(run: Run, turn: Turn, parent: Member, code: str, message: str) -> None:
    run.emit(ProposerFailed(iteration=turn.number, parent_id=parent.candidate.id, code=code, message=message))
    run.proposer_failures += 1
    if run.proposer_failures >= run.plan.max_proposer_failures:
        raise RunFailedError(
            f"{run.proposer_failures} proposals failed in a row; the last one: {code}: {message}",
            hint="mend the proposer and resume the run, or raise gepa.max_consecutive_proposer_failures",
        )


def _child(run: Run, turn: Turn, parent: Member, proposal: Proposal) -> Candidate | None:
    run.proposer_failures = 0
    before = parent.candidate.components
    changed = {name: text for name, text in proposal.components.items() if before[name] != text}
    run.emit(
        ProposerCompleted(
            iteration=turn.number,
            parent_id=parent.candidate.id,
            changed=tuple(changed),
            model=proposal.model,
            cost_usd=proposal.usage.cost_usd,
            total_tokens=proposal.usage.total_tokens,
        )
    )
    if not changed:
        reason = "the proposer changed nothing"
        run.emit(IterationSkipped(iteration=turn.number, parent_id=parent.candidate.id, reason=reason))
        return None
    child = parent.candidate.evolve(changed)
    if child.id in run.pool.known:
        run.emit(CandidateDuplicateSkipped(candidate_id=child.id, iteration=turn.number))
        return None
    run.pool.register(child)
    run.emit(
        CandidateRegistered(
            candidate_id=child.id,
            parent_ids=(parent.candidate.id,),
            iteration=turn.number,
            source="proposer",
            components=child.components,
            changed=tuple(changed),
            rationale=proposal.rationale,
        )
    )
    return child
