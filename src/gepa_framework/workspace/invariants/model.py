"""What an invariant is, and what it is to violate one."""

from __future__ import annotations

import enum

import attrs


class Severity(enum.StrEnum):
    """What a violation means for whoever relies on the record."""

    #: The record contradicts itself: it was damaged, edited or written by a bug.
    ERROR = "error"
    #: What is derived from the record is wrong; it can be made again.
    WARNING = "warning"


@attrs.frozen
class Invariant:
    """Something that is always true of a workspace.

    Attributes:
        id: Stable short name.
        says: What is always true, in one sentence.
        sql: Gives ``subject_type``, ``subject_id`` and ``message`` of every row that violates it. It may ask
            the tables of a workspace and the facts of `facts`.
        hint: What to do about a violation.
        severity: What a violation means.
    """

    id: str
    says: str
    sql: str = attrs.field(repr=False)
    hint: str = "it was damaged or edited, or written by a bug; restore the workspace from a backup"
    severity: Severity = Severity.ERROR


@attrs.frozen
class Violation:
    """A row that violates an invariant.

    Attributes:
        invariant_id: The invariant.
        severity: What that means.
        subject_type: What the row is, such as ``event``.
        subject_id: Which one.
        message: What is wrong with it.
        hint: What to do about it.
    """

    invariant_id: str
    severity: Severity
    subject_type: str
    subject_id: str
    message: str
    hint: str
