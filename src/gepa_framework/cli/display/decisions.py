"""Each decision of a run in one line."""

from __future__ import annotations

from functools import singledispatch

from gepa_framework.cli.verdicts import verdict_words
from gepa_framework.cli.words import one_line, score
from gepa_framework.types import EventBody
from gepa_framework.types import events as happened


@singledispatch
def decision(_: EventBody) -> str:
    """Give the decision that an event tells of, with its reason; nothing for an event that tells of none."""
    return ""


@decision.register
def _(body: happened.CandidateAccepted) -> str:
    numbers = _numbers(body.before, body.after, body.rows)
    return f"iteration {body.iteration}: accepted {body.candidate_id}, {numbers}"


@decision.register
def _(body: happened.CandidateRejected) -> str:
    numbers = f" ({_numbers(body.before, body.after, body.rows)})" if body.rows else ""
    return f"iteration {body.iteration}: rejected {body.candidate_id}, {one_line(body.reason)}{numbers}"


@decision.register
def _(body: happened.CandidateDuplicateSkipped) -> str:
    return f"iteration {body.iteration}: skipped, {body.candidate_id} was proposed before"


@decision.register
def _(body: happened.ProposalOvertaken) -> str:
    action = body.action.replace("_", " ")
    return f"iteration {body.iteration}: the proposal was overtaken by {body.joined}, {action}"


@decision.register
def _(body: happened.MergeProposed) -> str:
    return f"iteration {body.iteration}: merging {' and '.join(body.parent_ids)}"


@decision.register
def _(body: happened.IterationSkipped) -> str:
    return f"iteration {body.iteration}: skipped, {one_line(body.reason)}"


@decision.register
def _(body: happened.ProposalRefused) -> str:
    return f"iteration {body.iteration}: proposal refused, {one_line('; '.join(body.reasons))}; asked again"


@decision.register
def _(body: happened.ProposalLeakWarned) -> str:
    where = f"{body.component} quotes {body.chars} characters of {body.row_id}"
    return f"iteration {body.iteration}: warning, {one_line(where)}: {one_line(body.span)}"


@decision.register
def _(body: happened.ProposerFailed) -> str:
    return f"iteration {body.iteration}: no proposal, {one_line(body.code)}: {one_line(body.message)}"


@decision.register
def _(body: happened.StopDecided) -> str:
    return f"stop: {one_line(body.message or body.kind)}"


@decision.register
def _(body: happened.HeldoutVerdict) -> str:
    return f"verdict: {verdict_words(body)}"


@decision.register
def _(body: happened.DeploymentDecided) -> str:
    return f"deployed: {body.candidate_id} by {body.rule}"


@decision.register
def _(body: happened.RunFailed) -> str:
    return f"failed: {body.error_code}: {one_line(body.message)}"


@decision.register
def _(body: happened.RunCancelled) -> str:
    return f"cancelled: {one_line(body.reason)}"


def _numbers(before: float | None, after: float | None, rows: int) -> str:
    return f"{score(before)} -> {score(after)} in sum over {rows} rows"
