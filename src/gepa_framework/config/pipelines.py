"""The pipeline: one spelling for its mode, and what needs which mode."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from gepa_framework.config.model import CacheSection
from gepa_framework.config.reader import Reader
from gepa_framework.config.sections import AcceptanceSection, GepaSection, PipelineTable
from gepa_framework.config.spellings import translated, warn_unused

_SERIAL, _PIPELINED = "sync_serial", "async_pipelined"
_TABLE = ("gepa", "pipeline")
_SPECULATIVE = (*_TABLE, "speculative_completion", "enabled")
#: Rules and criteria under which a refusal can be foretold.
_FORETOLD: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "rule": ("strict_improvement", "improvement_or_equal"),
        "criterion": ("primary", "protected_objective_guard"),
    }
)
STALENESS_OPTIONS = MappingProxyType({"delta_max": ("guarded", "reflective")})


def pipeline_of(reader: Reader, gepa: GepaSection, acceptance: AcceptanceSection) -> PipelineTable:
    """Read ``gepa.pipeline`` and hold its parts against one another."""
    table: Any = gepa.pipeline
    for spelling in translated(reader.report, (*_TABLE, "mode"), table.mode, (_SERIAL, _PIPELINED)):
        table = attrs.evolve(table, mode=spelling.value)
    if table.mode == _SERIAL:
        _check_serial(reader, table)
    warn_unused(reader, _TABLE, STALENESS_OPTIONS, "staleness_policy", table.staleness_policy)
    if table.speculative_completion.enabled:
        _warn_of_vain_foretelling(reader, gepa, acceptance)
    return table  # type: ignore[no-any-return]


def warn_of_another_order(reader: Reader, gepa: GepaSection, cache: CacheSection | None) -> None:
    """Warn of a run that may ask what no run before it has asked, and may ask nothing new."""
    if cache is None or cache.mode != "readonly" or gepa.pipeline.mode != _PIPELINED:
        return
    said = (
        f"may miss with gepa.pipeline.mode {_PIPELINED}: requests to the proposer tell of candidates and "
        "refused attempts in the order in which they came to an end, which is another one each time"
    )
    hint = f'replay runs of mode "{_SERIAL}"; gepa verify and gepa resume replay any run from its journal'
    reader.report.warn(("cache", "mode"), said, hint)


def _check_serial(reader: Reader, table: PipelineTable) -> None:
    report, cure = reader.report, f'write mode = "{_PIPELINED}"'
    if table.staleness_policy != "full":
        said = f'"{table.staleness_policy}" needs mode = "{_PIPELINED}"'
        hint = f'{cure}, or staleness_policy = "full": one after the other, no proposal is overtaken'
        report.add((*_TABLE, "staleness_policy"), said, hint)
    if table.speculative_completion.enabled:
        report.add(_SPECULATIVE, f'needs mode = "{_PIPELINED}"', cure)
    bare = PipelineTable()
    for path, found, default in (
        (("max_in_flight_candidates",), table.max_in_flight_candidates, bare.max_in_flight_candidates),
        (("workers", "evaluate"), table.workers.evaluate, bare.workers.evaluate),
    ):
        if found != default:
            report.warn((*_TABLE, *path), f"has no effect with mode {_SERIAL}", f"it is for {_PIPELINED}")


def _warn_of_vain_foretelling(reader: Reader, gepa: GepaSection, acceptance: AcceptanceSection) -> None:
    if gepa.perfect_score is None:
        hint = "declare the highest reward that there is: gepa.perfect_score = 1.0"
        reader.report.warn(_SPECULATIVE, "has no effect without gepa.perfect_score", hint)
    for key, known in _FORETOLD.items():
        chosen = getattr(acceptance, key)
        if chosen not in known:
            hint = f"a refusal can be foretold with {', '.join(known)}"
            reader.report.warn(_SPECULATIVE, f"has no effect with {key} {chosen}", hint)
