"""The workspace: one directory per run, with a journal that is the only truth and exports beside it."""

from __future__ import annotations

from gepa_framework.workspace.codec import (
    START,
    Encoded,
    decode_outcome,
    encode_control,
    encode_outcome,
    is_exact,
)
from gepa_framework.workspace.database import (
    create_database,
    file_errors,
    open_database,
    read_database,
    storage_errors,
)
from gepa_framework.workspace.feed import Feed
from gepa_framework.workspace.journal import Journal, Line, Record, Stored, blob_digest, event_text
from gepa_framework.workspace.lock import WorkspaceLock

__all__ = [
    "START",
    "Encoded",
    "Feed",
    "Journal",
    "Line",
    "Record",
    "Stored",
    "WorkspaceLock",
    "blob_digest",
    "create_database",
    "decode_outcome",
    "encode_control",
    "encode_outcome",
    "event_text",
    "file_errors",
    "is_exact",
    "open_database",
    "read_database",
    "storage_errors",
]
