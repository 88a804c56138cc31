"""The environment variables that override keys, under their own and their older names."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

_INTEGER = re.compile(r"[+-]?\d{1,18}")


def _text(value: str) -> object:
    return value


def _integer(value: str) -> object:
    return int(value) if _INTEGER.fullmatch(value) else value


def _number(value: str) -> object:
    try:
        return _integer(value) if _INTEGER.fullmatch(value) else float(value)
    except ValueError:
        return value


@attrs.frozen
class Variable:
    """An environment variable that overrides a key.

    Attributes:
        name: Its name.
        alias: The older name of the same.
        path: Dotted path of the key.
        read: Gives the TOML value; the text itself where it is not of the right sort, to be refused later.
    """

    name: str
    alias: str
    path: str
    read: Callable[[str], object] = _text


def _variable(
    suffix: str, path: str, read: Callable[[str], object] = _text, *, search: bool = False
) -> Variable:
    older = f"SYNTH_OPTIMIZERS_GEPA_{suffix}" if search else f"SYNTH_OPTIMIZERS_{suffix}"
    return Variable(f"GEPA_{suffix}", older, path, read)


VARIABLES: tuple[Variable, ...] = (
    _variable("RUN_ID", "run.run_id"),
    _variable("OUTPUT_DIR", "run.output_dir"),
    _variable("CACHE_NAMESPACE", "cache.namespace"),
    _variable("CACHE_PATH", "cache.path"),
    _variable("CACHE_MODE", "cache.mode"),
    _variable("PROPOSER_BACKEND", "proposer.backend"),
    _variable("PROPOSER_EXECUTION_MODE", "proposer.execution_mode"),
    _variable("PROPOSER_MODEL", "proposer.model"),
    _variable("PROPOSER_REASONING_EFFORT", "proposer.reasoning_effort"),
    _variable("PROPOSER_SERVICE_TIER", "proposer.service_tier"),
    _variable("PROPOSER_AUTH_MODE", "proposer.auth_mode"),
    _variable("PROPOSER_CODEX_HOME", "proposer.codex_home"),
    _variable("ROLLOUT_SUBMISSION_MODE", "gepa.rollout_submission_mode"),
    _variable("ROLLOUT_POLL_INTERVAL_MS", "gepa.rollout_poll_interval_ms", _integer),
    _variable("ROLLOUT_ASYNC_TIMEOUT_SECONDS", "gepa.rollout_async_timeout_seconds", _number),
    _variable("PIPELINE_MODE", "gepa.pipeline.mode", search=True),
    _variable("STALENESS_POLICY", "gepa.pipeline.staleness_policy", search=True),
    _variable("MAX_IN_FLIGHT_CANDIDATES", "gepa.pipeline.max_in_flight_candidates", _integer, search=True),
    _variable("WORKERS_PROPOSE", "gepa.pipeline.workers.propose", _integer, search=True),
    _variable("WORKERS_ROLLOUT", "gepa.pipeline.workers.rollout", _integer, search=True),
    _variable("WORKERS_EVALUATE", "gepa.pipeline.workers.evaluate", _integer, search=True),
    _variable("ROLLOUT_CHUNK_SIZE", "gepa.rollout_chunk_size", _integer, search=True),
    _variable("ROLLOUT_FAILURE_RATE_TOLERANCE", "gepa.rollout_failure_rate_tolerance", _number, search=True),
)
