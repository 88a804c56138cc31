"""How often, and after how long, a failed rollout is tried again."""

from __future__ import annotations

import random

import attrs

from gepa_framework.types import RolloutFailure

#: No wait is longer, whatever a container asks for.
LONGEST_WAIT = 60.0
_MOST_DOUBLINGS = 30


@attrs.frozen
class RetryPolicy:
    """Bounded, jittered, and patient where the container asks for patience.

    Attributes:
        attempts: How often one rollout is tried in all.
        backoff_seconds: The first wait; each further one is twice as long.
        patience_seconds: How long a rollout that an overloaded container turns away is tried again without
            counting the attempts.
    """

    attempts: int = 3
    backoff_seconds: float = 0.5
    patience_seconds: float = 600.0

    def wait(self, failure: RolloutFailure, attempt: int) -> float | None:
        """Give the seconds to wait before the next attempt; ``None`` when there is none.

        Args:
            failure: What the attempt came to.
            attempt: Its number, from 1.
        """
        if not failure.retryable or attempt >= self.attempts:
            return None
        return self.pause(failure, attempt)

    def pause(self, failure: RolloutFailure, attempt: int, *, least: float = 0.0) -> float:
        """Give the seconds to wait after an attempt, whether another one counts or not.

        Args:
            failure: What the attempt came to.
            attempt: Its number, from 1.
            least: The least that the first wait may be.
        """
        wait = max(self.backoff_seconds, least) * float(2 ** min(attempt - 1, _MOST_DOUBLINGS))
        # Rollouts that failed together should not come back together; results do not depend on it.
        wait *= random.uniform(0.8, 1.2)  # noqa: S311
        if failure.retry_after_seconds is not None:
            wait = max(wait, failure.retry_after_seconds)
        return min(wait, LONGEST_WAIT)
