"""What was proved of a run."""

from __future__ import annotations

from pathlib import Path

import attrs

from gepa_framework.types import JSONObject


@attrs.frozen
class Verification:
    """What a replay proved of a run.

    Attributes:
        run_id: The run's name.
        run_dir: Its directory.
        status: Where the machine stands at the end of the record: ``finished``, ``failed``, ``cancelled``,
            ``running``, or ``new`` where nothing is on record yet.
        inputs: Rows of the journal, each with its link of the chain.
        events: Events, each equal to what the machine derived.
        decisions: Those of them that accept or reject a candidate.
        rollouts: Those of them that are outcomes of rollouts.
        requests: Requests to the proposer, each kept as it was derived.
        chain: Last link of the chain of the inputs: equal journals have equal ones.
        files: Names of the files that equal what the journal gives.
        unproved: What could not be held against the journal, and why, a sentence each.
    """

    run_id: str
    run_dir: Path
    status: str
    inputs: int
    events: int
    decisions: int
    rollouts: int
    requests: int
    chain: str
    files: tuple[str, ...] = ()
    unproved: tuple[str, ...] = ()

    def to_dict(self) -> JSONObject:
        """Give it as JSON."""
        return {**attrs.asdict(self), "run_dir": str(self.run_dir)}
