"""Verifying: a replay without a world, held against everything that the run has left."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

from gepa_framework.app.chronicle import Chronicle
from gepa_framework.app.export_proof import ExportProof
from gepa_framework.app.feed_proof import FeedProof, FeedsHeld
from gepa_framework.app.history import History
from gepa_framework.app.record_proof import hold_records
from gepa_framework.app.request_proof import RequestProof
from gepa_framework.app.verification import Verification
from gepa_framework.workspace import MARK, Journal, check_mark, file_errors, holder_of, read_mark

_ROLLOUTS = ("rollout.completed", "rollout.failed")
_DECISIONS = ("candidate.accepted", "candidate.rejected")


def verify(history: History) -> Verification:
    """Prove what is on record of a run; nothing is written.

    Raises:
        WorkspaceError: A row, a feed or an exported file is not what was written; names the first.
        ReplayDivergenceError: An event is not what follows from the inputs; names the first.
    """
    return _Proof(history).verification()


class _Proof:
    """One proof of one run."""

    def __init__(self, history: History) -> None:
        self._history = history
        # Files first: whatever they tell is in the journal already, even of a run that goes on.
        self._holder = holder_of(history.run_dir)
        with file_errors(history.run_dir):
            self._feeds = FeedProof(history.run_dir)
        self._mark = read_mark(history.run_dir)
        self._exports = None if self._holder else ExportProof.read(history.run_dir)
        self._machine = history.machine()
        self._chronicle = Chronicle()
        self._counts: Counter[str] = Counter()
        self._proved: list[str] = []
        self._unproved: list[str] = []

    def verification(self) -> Verification:
        """Do the work."""
        with closing(self._history.journal()) as journal:
            requests = RequestProof(journal)
            self._replay(journal, requests)
            self._hold_feeds(journal)
            self._hold_mark(journal)
            self._proved.extend(hold_records(self._history, over=self._over))
            self._unproved.extend(journal.check())
            self._settle_exports(journal)
            self._unproved.extend(requests.unproved)
            return Verification(
                run_id=self._history.present.run_id,
                run_dir=self._history.run_dir,
                status=self._machine.status.value,
                inputs=journal.inputs,
                events=journal.events,
                decisions=sum(self._counts[name] for name in _DECISIONS),
                rollouts=sum(self._counts[name] for name in _ROLLOUTS),
                requests=requests.held,
                chain=journal.chain,
                files=tuple(self._proved),
                unproved=tuple(self._unproved),
            )

    def _replay(self, journal: Journal, requests: RequestProof) -> None:
        written_at = -1 if self._exports is None else self._exports.events
        if written_at == 0:
            self._hold_exports()
        for event in self._history.replay(self._machine, journal, requests.hold):
            self._chronicle.on_event(event)
            self._counts[event.type] += 1
            if event.seq == written_at:
                self._hold_exports()

    def _hold_exports(self) -> None:
        if self._exports is not None:
            self._proved.extend(self._exports.hold(self._history, self._machine, self._chronicle))

    def _hold_feeds(self, journal: Journal) -> None:
        held = FeedsHeld.judge(self._feeds.hold(journal.lines()), journal.events, over=self._over)
        self._proved.extend(held.proved)
        self._unproved.extend(held.unproved)

    def _hold_mark(self, journal: Journal) -> None:
        check_mark(self._history.run_dir, self._mark, journal)
        if self._mark is not None:
            self._proved.append(MARK)

    @property
    def _over(self) -> bool:
        return self._machine.status.terminal and not self._holder

    def _settle_exports(self, journal: Journal) -> None:
        if self._exports is None:
            self._unproved.append(f"the exported files: {self._holder} works on the run")
        elif open_question := self._exports.settle(journal.events, over=self._over):
            self._unproved.append(open_question)
