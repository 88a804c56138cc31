"""The workspace: one directory per run, with a journal that is the only truth and exports beside it."""

from __future__ import annotations

from gepa_framework.workspace.checkpoints import ENDINGS, read_tally
from gepa_framework.workspace.codec import (
    START,
    Encoded,
    decode_extension,
    decode_outcome,
    encode_control,
    encode_outcome,
    is_exact,
)
from gepa_framework.workspace.database import (
    check_revision,
    create_database,
    file_errors,
    open_database,
    read_database,
    storage_errors,
)
from gepa_framework.workspace.feed import (
    RESTORE,
    Feed,
    check_nothing_is_lost,
    feed_line,
    feeds,
    normalised_line,
)
from gepa_framework.workspace.feed_tail import MAX_LINE_BYTES, EndlessLineError, Tail, read_at, read_tail
from gepa_framework.workspace.glance import Glance, glance, measured_candidates
from gepa_framework.workspace.journal import Journal, Line, Record, Stored, event_text
from gepa_framework.workspace.lock import WorkspaceLock, holder_of
from gepa_framework.workspace.reading import readable, shelf_of
from gepa_framework.workspace.tally import Tally
from gepa_framework.workspace.texts import blob_digest

__all__ = [
    "ENDINGS",
    "MAX_LINE_BYTES",
    "RESTORE",
    "START",
    "Encoded",
    "EndlessLineError",
    "Feed",
    "Glance",
    "Journal",
    "Line",
    "Record",
    "Stored",
    "Tail",
    "Tally",
    "WorkspaceLock",
    "blob_digest",
    "check_nothing_is_lost",
    "check_revision",
    "create_database",
    "decode_extension",
    "decode_outcome",
    "encode_control",
    "encode_outcome",
    "event_text",
    "feed_line",
    "feeds",
    "file_errors",
    "glance",
    "holder_of",
    "is_exact",
    "measured_candidates",
    "normalised_line",
    "open_database",
    "read_at",
    "read_database",
    "read_tail",
    "read_tally",
    "readable",
    "shelf_of",
    "storage_errors",
]
