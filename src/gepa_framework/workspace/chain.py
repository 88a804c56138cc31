"""The chain of hashes: each row of a journal is linked to the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256


def root(meta: Mapping[str, str]) -> bytes:
    """Give what the first rows are linked to: what was said of the run cannot be changed without notice."""
    text = _joined(part for pair in sorted(meta.items()) for part in pair)
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def event_link(chain: bytes, row: Sequence[object]) -> bytes:
    """Link an event to the one before."""
    # As `_joined` has it, in half the time: there are several links for every rollout.
    seq, position, kind, elapsed_us, body = row
    text = f"{seq}\x1f{position}\x1f{kind}\x1f{elapsed_us}\x1f{body}"
    return sha256(chain + text.encode("utf-8", "surrogatepass")).digest()


def input_link(
    chain: bytes, row: Sequence[object], attempts: Sequence[Sequence[object]], events: bytes
) -> bytes:
    """Link an input to the one before, to its attempts, and to the last event that followed from it."""
    position, kind, effect_id, digest, elapsed_us, payload, access = row
    text = f"{position}\x1f{kind}\x1f{effect_id}\x1f{digest}\x1f{elapsed_us}\x1f{payload}\x1f"
    if access is not None:
        # Left out where it says nothing: so were all links made before there was such a column.
        text += f"{access}\x1f"
    for attempt in attempts:
        text += _joined(attempt) + "\x1f"
    return sha256(chain + (text + events.hex()).encode("utf-8", "surrogatepass")).digest()


def _joined(parts: Iterable[object]) -> str:
    return "\x1f".join(map(str, parts))
