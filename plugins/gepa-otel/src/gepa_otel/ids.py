"""Ids that follow from the run: whoever knows the record knows the trace, and a resumed run continues it."""

from __future__ import annotations

import hashlib
from typing import Final

from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

#: The span of the run itself; effects and iterations have other names.
RUN: Final = "run"


def iteration_name(number: int) -> str:
    """Give what the span of an iteration is called among the spans of its run."""
    return f"iteration/{number}"


def effect_name(effect_id: str) -> str:
    """Give what the span of an effect is called among the spans of its run."""
    return f"effect/{effect_id}"


def trace_id(run_id: str) -> int:
    """Give the 128 bits of a run."""
    return _number(16, "trace", run_id)


def span_id(run_id: str, name: str) -> int:
    """Give the 64 bits of a span of a run."""
    return _number(8, "span", run_id, name)


def is_traced(run_id: str, ratio: float) -> bool:
    """Tell whether a run is among the share that is traced; the same for a run each time it is asked."""
    result = TraceIdRatioBased(ratio).should_sample(None, trace_id(run_id), RUN)
    return result.decision is Decision.RECORD_AND_SAMPLE


def _number(size: int, *parts: str) -> int:
    text = "\x1f".join(("gepa", *parts))
    # Zero says that there is none.
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:size], "big") or 1


class Ids(IdGenerator):
    """Gives the trace of one run, and the span that was named last.

    Args:
        run_id: The run.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._trace_id = trace_id(run_id)
        self.name = RUN

    def generate_span_id(self) -> int:
        """Give the id of the span that is called ``name``."""
        return span_id(self._run_id, self.name)

    def generate_trace_id(self) -> int:
        """Give the id of the run's trace."""
        return self._trace_id
