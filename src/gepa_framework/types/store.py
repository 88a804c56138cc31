"""The rows of a journal as a store keeps them: plain values in a fixed order, appended and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType, NoneType
from typing import Any, Literal, TypeAlias

import attrs

#: Values of one row in the order of its table's columns: ``int``, ``str``, ``bytes`` or ``None``.
Row: TypeAlias = "Sequence[Any]"
NO_BLOBS: Mapping[str, str] = MappingProxyType({})
JournalTable: TypeAlias = Literal["inputs", "attempts", "events"]

#: The columns of each table in the order of a row's values, each with the types that a value may have.
COLUMNS: Mapping[JournalTable, Mapping[str, tuple[type, ...]]] = MappingProxyType(
    {
        "inputs": MappingProxyType(
            {
                "position": (int,),
                "kind": (str,),
                "effect_id": (str, NoneType),
                "request_digest": (str, NoneType),
                "elapsed_us": (int,),
                "payload": (str,),
                "access": (str, NoneType),
                "chain": (bytes,),
            }
        ),
        "attempts": MappingProxyType(
            {
                "effect_id": (str,),
                "attempt": (int,),
                "position": (int,),
                "kind": (str,),
                "code": (str,),
                "message": (str,),
                "http_status": (int, NoneType),
                "prompt_tokens": (int, NoneType),
                "completion_tokens": (int, NoneType),
                "total_tokens": (int, NoneType),
                "cost_usd": (str, NoneType),
            }
        ),
        "events": MappingProxyType(
            {
                "seq": (int,),
                "position": (int,),
                "type": (str,),
                "elapsed_us": (int,),
                "body": (str,),
                "chain": (bytes,),
            }
        ),
    }
)

#: The columns of a checkpoint, each with the type of its values.
CHECKPOINT: Mapping[str, type] = MappingProxyType(
    {"position": int, "seq": int, "kind": str, "elapsed_us": int, "tallies": str}
)


@attrs.frozen
class Rows:
    """What one transaction adds to a journal.

    Attributes:
        inputs: Rows of ``inputs``; ``position`` counts from 1 without gaps, and ``effect_id`` is unique where
            it is not ``None``.
        attempts: Rows of ``attempts``, unique by ``effect_id`` and ``attempt``.
        events: Rows of ``events``; ``seq`` counts from 1 without gaps.
        blobs: SHA-256 of a text, as 64 hexadecimal digits, to the text; one that is there already stays.
        checkpoints: Counts of all rows up to a position, in the order of `CHECKPOINT`. They follow from the
            other rows: only a store that gives a tally is given any, and one that loses them loses time.
    """

    inputs: Sequence[Row] = ()
    attempts: Sequence[Row] = ()
    events: Sequence[Row] = ()
    blobs: Mapping[str, str] = NO_BLOBS
    checkpoints: Sequence[Row] = ()
