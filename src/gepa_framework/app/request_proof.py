"""Holding the requests that a run keeps against those that its machine derives."""

from __future__ import annotations

from gepa_framework.engine import Propose, Step
from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace import Journal


class RequestProof:
    """The requests to the proposer that are kept with a journal.

    Args:
        journal: Open for reading.

    Attributes:
        held: How many are kept as they were derived.
        missing: How many the store has no place for.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.held = 0
        self.missing = 0

    def hold(self, step: Step) -> None:
        """Hold what a step asks of the proposer against what is kept.

        Raises:
            WorkspaceError: A request is not there, or not the one that was derived; names it.
        """
        for command in step.commands:
            if isinstance(command, Propose):
                self._hold(command)

    def _hold(self, command: Propose) -> None:
        if not self._journal.keeps_texts:
            self.missing += 1
            return
        try:
            # The digest is of the derived text, and the journal holds what it gives against the digest.
            self._journal.blob(command.request_digest)
        except WorkspaceError as error:
            raise WorkspaceError(
                f"{error.message}; it is the request of {command.effect_id}", hint=error.hint
            ) from error
        self.held += 1

    @property
    def unproved(self) -> tuple[str, ...]:
        """What could not be held against anything, a sentence each."""
        if not self.missing:
            return ()
        return (f"{self.missing} requests to the proposer: the store is of schema 0001, which keeps none",)
