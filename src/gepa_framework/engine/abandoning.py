"""What was revoked while it was under way: nobody waits for it any more, and it was paid for all the same."""

from __future__ import annotations

from collections.abc import Sequence

from gepa_framework.engine.ledger import counts
from gepa_framework.engine.run import Run
from gepa_framework.types.events import WorkAbandoned


def note_abandoned(run: Run, effect_ids: Sequence[str]) -> None:
    """Enter commands that had begun when they were revoked, and tell of them; set-up calls cost nothing."""
    run.limbo.clear()
    rollouts, proposals = counts(effect_ids)
    if rollouts or proposals:
        run.ledger.abandon(rollouts, proposals)
        run.emit(WorkAbandoned(rollouts=rollouts, proposals=proposals))
