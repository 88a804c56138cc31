"""Evidence: what a minibatch showed of the parent, as a proposer is told it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from gepa_framework.engine.framing import bounded
from gepa_framework.engine.run import Run
from gepa_framework.errors import InvariantError
from gepa_framework.types import (
    EvidenceFrame,
    FrameKind,
    LeftOut,
    RolloutFailure,
    RolloutOutcome,
    TaskRow,
    canonical_json,
)


@attrs.frozen
class Evidence:
    """What a proposer is told of a minibatch.

    Attributes:
        frames: In the order of the rows, each with its equals counted into it.
        left_out: What there was no room for.
    """

    frames: tuple[EvidenceFrame, ...]
    left_out: LeftOut


def evidence_of(run: Run, rows: Sequence[TaskRow], outcomes: Sequence[RolloutOutcome]) -> Evidence:
    """Give what the rollouts of a minibatch showed, within the limits of the plan.

    Raises:
        InvariantError: A row is a heldout one.
    """
    _refuse_heldout(run, rows)
    found = judged(frames(rows, outcomes), run.perfect_score)
    kept, left_out = bounded(merged(found), run.plan.evidence)
    return Evidence(kept, left_out)


def _refuse_heldout(run: Run, rows: Sequence[TaskRow]) -> None:
    if any(row.split == run.plan.heldout.split for row in rows):
        heldout = {(row.split, row.id) for row in run.heldout}
        for row in rows:
            if (row.split, row.id) in heldout:
                raise InvariantError(f"{row.id!r} is a heldout row and was about to be shown to a proposer")


def frames(rows: Sequence[TaskRow], outcomes: Sequence[RolloutOutcome]) -> tuple[EvidenceFrame, ...]:
    """Give one frame for each row, in the order of the rows."""
    return tuple(_frame(row, outcome) for row, outcome in zip(rows, outcomes, strict=True))


def _frame(row: TaskRow, outcome: RolloutOutcome) -> EvidenceFrame:
    if isinstance(outcome, RolloutFailure):
        return EvidenceFrame(row_id=row.id, inputs=row.data, reward=None, failure=outcome)
    return EvidenceFrame(
        row_id=row.id,
        inputs=row.data,
        reward=outcome.reward,
        output=outcome.output,
        feedback=outcome.feedback,
        objectives=outcome.objectives,
        metrics=outcome.metrics,
        rationales=outcome.rationales,
        side_info=outcome.side_info,
        trace_digest=outcome.trace_digest,
    )


def judged(found: Sequence[EvidenceFrame], perfect: float | None) -> list[EvidenceFrame]:
    """Tell wins from losses: by the perfect score, else by the median of what was scored.

    What is at the median is a win only where something is below it.
    """
    rewards = [frame.reward for frame in found if frame.reward is not None]
    lowest = min(rewards, default=0.0)
    bar = _median(rewards) if perfect is None else perfect
    kinds: list[FrameKind] = []
    for frame in found:
        if frame.reward is None or bar is None:
            kinds.append(FrameKind.FAILURE)
        else:
            won = frame.reward >= bar and (perfect is not None or frame.reward > lowest)
            kinds.append(FrameKind.WIN if won else FrameKind.LOSS)
    return [
        frame if frame.kind is kind else attrs.evolve(frame, kind=kind)
        for frame, kind in zip(found, kinds, strict=True)
    ]


def _median(rewards: Sequence[float]) -> float | None:
    if not rewards:
        return None
    # Halved first, so that two rewards at the end of their range have a middle.
    ordered, last = sorted(rewards), len(rewards) - 1
    return ordered[last // 2] / 2 + ordered[(last + 1) // 2] / 2


def merged(found: Sequence[EvidenceFrame]) -> list[EvidenceFrame]:
    """Keep the first of frames that show the same, with how many they were."""
    counts: dict[tuple[object, ...], int] = {}
    first: dict[tuple[object, ...], EvidenceFrame] = {}
    for frame in found:
        key = _shown(frame)
        first.setdefault(key, frame)
        counts[key] = counts.get(key, 0) + 1
    return [_counted(frame, counts[key]) for key, frame in first.items()]


def _counted(frame: EvidenceFrame, count: int) -> EvidenceFrame:
    return frame if count == 1 else attrs.evolve(frame, count=count)


def _shown(frame: EvidenceFrame) -> tuple[object, ...]:
    what: Mapping[str, object] = {"inputs": frame.inputs, "output": frame.output}
    failure = frame.failure
    why = None if failure is None else (failure.kind, failure.code, failure.message)
    return canonical_json(what), frame.reward, why  # type: ignore[arg-type]
