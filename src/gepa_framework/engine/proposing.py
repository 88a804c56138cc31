"""Proposing: what is asked of the proposer, and which answers are refused before a rollout is spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from gepa_framework._core import STREAM_PROPOSAL, Rng
from gepa_framework.engine.checking import Checked, check, repair_of
from gepa_framework.engine.effects import ProposalFailure, Propose
from gepa_framework.engine.evidence import Evidence
from gepa_framework.engine.flow import Flow, ask
from gepa_framework.engine.leaks import leak
from gepa_framework.engine.lineage import lineage, rejected
from gepa_framework.engine.overtaking import is_overtaken, note, overtaken_by
from gepa_framework.engine.plan import ComponentRule
from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run
from gepa_framework.engine.turn import Turn
from gepa_framework.errors import InvariantError, RunFailedError
from gepa_framework.types import (
    Candidate,
    Proposal,
    ProposalRequest,
)
from gepa_framework.types.events import (
    CandidateDuplicateSkipped,
    CandidateRegistered,
    IterationSkipped,
    ProposalRefused,
    ProposerCompleted,
    ProposerFailed,
    ProposerStarted,
)
from gepa_framework.types.json import EMPTY

#: A proposal that can be used, with the new texts that it gives.
_Usable: TypeAlias = tuple[Proposal, Mapping[str, str]]


def propose(
    run: Run, turn: Turn, parent: Member, evidence: Evidence, *, slot: int = 0
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
    command = Propose(request.proposal_id, request)
    run.emit(
        ProposerStarted(
            iteration=turn.number,
            parent_id=parent.candidate.id,
            components=request.components,
            evidence=len(evidence.frames),
            request_digest=command.request_digest,
            kinds=Counter(frame.kind.value for frame in evidence.frames),
        )
    )
    usable = yield from _usable(run, turn, parent, command)
    if usable is not None:
        run.proposer_failures = 0
    if usable is not None and is_overtaken(run, turn):
        note(run, turn, parent)
        usable = yield from _once_more(run, turn, parent, request, usable)
    return None if usable is None else _child(run, turn, parent, *usable)


def _usable(
    run: Run, turn: Turn, parent: Member, command: Propose, *, repairs: int | None = None
) -> Flow[_Usable | None]:
    """Give an answer that can be used, asked for again where it cannot be; ``None`` when none came."""
    request = command.request
    left = run.plan.repair_turns if repairs is None else repairs
    proposal = yield from _answer(run, turn, parent, command)
    if proposal is None:
        return None
    checked, code = _checked(run, turn, parent, request, proposal)
    if not checked.faults:
        return proposal, checked.texts
    if not left:
        _failed(run, turn, parent, code, "; ".join(checked.faults))
        return None
    _refuse(run, turn, parent, proposal, checked.faults)
    repair = repair_of(proposal, checked.faults)
    again = attrs.evolve(request, proposal_id=f"{request.proposal_id}/repair", repair=repair)
    return (yield from _usable(run, turn, parent, Propose(again.proposal_id, again), repairs=left - 1))


def _once_more(
    run: Run, turn: Turn, parent: Member, request: ProposalRequest, usable: _Usable
) -> Flow[_Usable | None]:
    """Give what becomes of a proposal that was overtaken."""
    if run.plan.pipelining.staleness != "reflective":
        return None
    proposal_id, overtaken = f"{request.proposal_id}/again", overtaken_by(run, turn, parent, usable[1])
    again = attrs.evolve(request, proposal_id=proposal_id, overtaken=overtaken)
    return (yield from _usable(run, turn, parent, Propose(proposal_id, again), repairs=0))


def _checked(
    run: Run, turn: Turn, parent: Member, request: ProposalRequest, proposal: Proposal
) -> tuple[Checked, str]:
    """Look at a proposal, which must not quote rows either; give the code of its faults besides."""
    checked = check(request, proposal, limit=run.plan.max_component_chars)
    if checked.faults:
        return checked, "invalid_proposal"
    fault = leak(run, parent, checked.texts, iteration=turn.number)
    return (attrs.evolve(checked, faults=(fault,)), "leakage") if fault else (checked, "")


def _answer(run: Run, turn: Turn, parent: Member, command: Propose) -> Flow[Proposal | None]:
    """Give what the proposer answers, usable or not; ``None`` when that is no proposal of the model asked."""
    # Booked as soon as it is in: it is paid for whatever becomes of the rest of the iteration.
    outcome = yield from ask(command, lambda _, given: run.count_proposal(turn, given))
    if not isinstance(outcome, Proposal | ProposalFailure):
        raise InvariantError("a proposal came back as something else")
    usage = run.priced(outcome)
    answer = outcome if usage is outcome.usage else attrs.evolve(outcome, usage=usage)
    if isinstance(answer, ProposalFailure):
        _failed(run, turn, parent, answer.code, answer.message)
        return None
    if answer.substituted and not run.plan.allow_model_substitution:
        said = f"the model {answer.requested_model!r} was asked for, and {answer.model!r} answered"
        hint = "name that model, or set proposer.allow_model_substitution = true"
        _failed(run, turn, parent, "model_substituted", f"{said}; {hint}")
        return None
    return answer


def _request(run: Run, turn: Turn, parent: Member, evidence: Evidence, slot: int) -> ProposalRequest:
    components = run.targets
    if run.plan.component_rule is ComponentRule.ROUND_ROBIN:
        components = (run.pool.next_component(parent.candidate.id, components),)
    return ProposalRequest(
        proposal_id=f"proposal/{turn.number}" + (f"/{slot}" if slot else ""),
        iteration=turn.number,
        parent=parent.candidate,
        components=components,
        evidence=evidence.frames,
        rejected=rejected(run.pool, parent, run.plan.include_rejected),
        program=run.program,
        task=run.info.task if run.info else EMPTY,
        seed=_seed(run, turn, slot),
        left_out=evidence.left_out,
        lineage=lineage(run.pool, parent),
    )


def _seed(run: Run, turn: Turn, slot: int) -> int:
    rng = Rng(run.plan.seed, STREAM_PROPOSAL, turn.number)
    return [rng.next_u64() for _ in range(slot + 1)][slot]


def _refuse(run: Run, turn: Turn, parent: Member, proposal: Proposal, faults: tuple[str, ...]) -> None:
    run.emit(
        ProposalRefused(
            iteration=turn.number,
            parent_id=parent.candidate.id,
            turn=1,
            reasons=faults,
            model=proposal.model,
            requested_model=proposal.requested_model,
            cost_usd=proposal.usage.cost_usd,
            total_tokens=proposal.usage.total_tokens,
        )
    )


def _failed(run: Run, turn: Turn, parent: Member, code: str, message: str) -> None:
    run.emit(ProposerFailed(iteration=turn.number, parent_id=parent.candidate.id, code=code, message=message))
    run.proposer_failures += 1
    if run.proposer_failures >= run.plan.max_proposer_failures:
        raise RunFailedError(
            f"{run.proposer_failures} proposals failed in a row; the last one: {code}: {message}",
            hint="mend the proposer and resume the run, or raise gepa.max_consecutive_proposer_failures",
        )


def _child(
    run: Run, turn: Turn, parent: Member, proposal: Proposal, texts: Mapping[str, str]
) -> Candidate | None:
    child = parent.candidate.evolve(texts)
    changed = child.changes_from(parent.candidate)
    run.emit(
        ProposerCompleted(
            iteration=turn.number,
            parent_id=parent.candidate.id,
            changed=tuple(changed),
            model=proposal.model,
            cost_usd=proposal.usage.cost_usd,
            total_tokens=proposal.usage.total_tokens,
            requested_model=proposal.requested_model,
        )
    )
    if not changed:
        reason = "the proposer changed nothing"
        run.emit(IterationSkipped(iteration=turn.number, parent_id=parent.candidate.id, reason=reason))
        return None
    if child.id in run.pool.known:
        run.emit(CandidateDuplicateSkipped(candidate_id=child.id, iteration=turn.number))
        return None
    run.pool.register(child, proposal.rationale)
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
