"""Leaks: proposals that quote rows, where the task does not allow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run
from gepa_framework.engine.spans import Span, Spans, strings
from gepa_framework.types import JSONObject
from gepa_framework.types.events import ProposalLeakWarned
from gepa_framework.types.json import EMPTY


def leak(run: Run, parent: Member, texts: Mapping[str, str], *, iteration: int) -> str:
    """Say which row a proposed text quotes; empty where none does, or where that is allowed.

    Where the plan asks for a warning, it is put on record and the answer is empty.

    Args:
        run: The run, with its rows.
        parent: What was to be improved; what its texts quote already may stay.
        texts: Component name to the text proposed.
        iteration: The iteration, for the record.
    """
    if run.plan.leakage.policy == "allow" or _task_allows(_task(run)):
        return ""
    if run.spans is None:
        run.spans = Spans(run.plan.leakage.min_span_chars, _of_rows(run), _public(run))
    for name, text in texts.items():
        span = run.spans.find(text, parent.candidate.components.values())
        if span is None:
            continue
        if run.plan.leakage.policy != "warn":
            if span.owner not in {row.id for row in run.train}:
                # A proposer that is told more could find out what heldout rows say by asking.
                return f"the text of {name!r} quotes a row that no proposer is shown"
            return _worded(name, span, run.plan.leakage.min_span_chars)
        run.emit(
            ProposalLeakWarned(
                iteration=iteration,
                parent_id=parent.candidate.id,
                component=name,
                row_id=span.owner,
                span=span.text,
                chars=span.chars,
            )
        )
    return ""


def _worded(name: str, span: Span, least: int) -> str:
    return (
        f"the text of {name!r} quotes {span.chars} characters of the row {span.owner!r}, from {span.text!r} "
        f"on; {least} or more that the texts before did not have are not allowed"
    )


def _task(run: Run) -> JSONObject:
    return run.info.task if run.info else EMPTY


def _task_allows(task: JSONObject) -> bool:
    hints = task.get("proposer_hints")
    return isinstance(hints, Mapping) and hints.get("literal_training_targets") == "allow"


def _of_rows(run: Run) -> Iterator[tuple[str, str]]:
    for row in (*run.train, *run.heldout):
        for text in strings(row.data):
            yield row.id, text


def _public(run: Run) -> Iterator[str]:
    yield from run.program.seed.values()
    yield from run.seed.components.values()
    yield from strings(_task(run))
