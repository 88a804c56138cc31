"""Evidence: what a minibatch showed of the parent, as a proposer is told it."""

from __future__ import annotations

from collections.abc import Sequence

from gepa_framework.types import EvidenceFrame, RolloutFailure, RolloutOutcome, TaskRow


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
    )
