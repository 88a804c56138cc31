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
    REVISION,
    check_revision,
    create_database,
    file_errors,
    open_database,
    read_database,
    storage_errors,
)
from gepa_framework.workspace.disk import make_directory, rename
from gepa_framework.workspace.event_text import event_text
from gepa_framework.workspace.failpoint import FAILPOINTS
from gepa_framework.workspace.feed import (
    RESTORE,
    Feed,
    check_nothing_is_lost,
    feed_line,
    feeds,
    last_seq,
    normalised_line,
)
from gepa_framework.workspace.feed_tail import MAX_LINE_BYTES, EndlessLineError, Tail, read_at, read_tail
from gepa_framework.workspace.glance import Glance, glance, measured_candidates
from gepa_framework.workspace.holder import Holder
from gepa_framework.workspace.invariants import INVARIANTS, Invariant, Severity, Violation, violations
from gepa_framework.workspace.journal import Journal, Line, Record, Stored
from gepa_framework.workspace.lock import WorkspaceLock, holder_of
from gepa_framework.workspace.log_room import LogRoom
from gepa_framework.workspace.mark import MARK, Mark, Marker, check_end, check_mark, read_mark
from gepa_framework.workspace.reading import readable, shelf_of
from gepa_framework.workspace.rebuild import expected_views, is_same_view, rebuild_database
from gepa_framework.workspace.reserve import RESERVE_BYTES, Reserve
from gepa_framework.workspace.soundness import DAMAGED, check_database
from gepa_framework.workspace.standing import Standing, Transition, read_standing
from gepa_framework.workspace.tally import Tally
from gepa_framework.workspace.texts import blob_digest

__all__ = [
    "DAMAGED",
    "ENDINGS",
    "FAILPOINTS",
    "INVARIANTS",
    "MARK",
    "MAX_LINE_BYTES",
    "RESERVE_BYTES",
    "RESTORE",
    "REVISION",
    "START",
    "Encoded",
    "EndlessLineError",
    "Feed",
    "Glance",
    "Holder",
    "Invariant",
    "Journal",
    "Line",
    "LogRoom",
    "Mark",
    "Marker",
    "Record",
    "Reserve",
    "Severity",
    "Standing",
    "Stored",
    "Tail",
    "Tally",
    "Transition",
    "Violation",
    "WorkspaceLock",
    "blob_digest",
    "check_database",
    "check_end",
    "check_mark",
    "check_nothing_is_lost",
    "check_revision",
    "create_database",
    "decode_extension",
    "decode_outcome",
    "encode_control",
    "encode_outcome",
    "event_text",
    "expected_views",
    "feed_line",
    "feeds",
    "file_errors",
    "glance",
    "holder_of",
    "is_exact",
    "is_same_view",
    "last_seq",
    "make_directory",
    "measured_candidates",
    "normalised_line",
    "open_database",
    "read_at",
    "read_database",
    "read_mark",
    "read_standing",
    "read_tail",
    "read_tally",
    "readable",
    "rebuild_database",
    "rename",
    "shelf_of",
    "storage_errors",
    "violations",
]
