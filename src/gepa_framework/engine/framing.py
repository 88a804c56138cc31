"""Framing: as much evidence as fits, with losses before wins, and an account of the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs

from gepa_framework.engine.fitting import GONE, bytes_of, cut, cut_text, level, size
from gepa_framework.engine.plan import EvidenceLimits
from gepa_framework.engine.request import plain, text_of
from gepa_framework.types import EvidenceFrame, FrameKind, JSONValue, LeftOut

#: A frame is not cut below so many bytes; rather fewer frames are shown.
SMALLEST_FRAME: Final = 1024
_NOTHING: Final[dict[str, Any]] = {
    "inputs": {},
    "output": None,
    "feedback": {},
    "objectives": {},
    "metrics": {},
    "rationales": {},
    "side_info": {},
}
#: A mark has no place among numbers; that something is missing is said in `EvidenceFrame.cut`.
_NUMBERS: Final = ("objectives", "metrics")
_FAILURE: Final = "failure"


def bounded(
    frames: Sequence[EvidenceFrame], limits: EvidenceLimits
) -> tuple[tuple[EvidenceFrame, ...], LeftOut]:
    """Give the frames that fit, in their order, and what is missing.

    Where not all fit whole, the longest are cut first. Where that is not enough, frames are left out: of two
    or more that are shown, at least a quarter are wins where there are so many, and the rest are losses
    where there are. A frame whose id alone is too long is left out as well.
    """
    sizes = [bytes_of(text_of(frame)) for frame in frames]
    if _all_fit(sizes, limits):
        return tuple(frames), LeftOut()
    order = list(priority(frames))[: limits.max_frames]
    count = _how_many([min(sizes[index], limits.max_frame_bytes) for index in order], limits.max_bytes)
    chosen = sorted(order[:count])
    room = _level([min(sizes[index], limits.max_frame_bytes) for index in chosen], limits.max_bytes)
    shown: dict[int, EvidenceFrame] = {}
    for index in chosen:
        frame = frames[index] if sizes[index] <= room else cut_frame(frames[index], room)
        if frame is not None:
            shown[index] = frame
    return tuple(shown.values()), _left_out(frames, sizes, shown)


def _all_fit(sizes: Sequence[int], limits: EvidenceLimits) -> bool:
    return (
        (limits.max_frames is None or len(sizes) <= limits.max_frames)
        and max(sizes, default=0) <= limits.max_frame_bytes
        and sum(sizes) + len(sizes) + 1 <= limits.max_bytes
    )


def priority(frames: Sequence[EvidenceFrame]) -> Iterator[int]:
    """Give positions so that the first so many are balanced: losses first, and from two on a quarter wins.

    Failed rollouts come after the other losses: they tell of the world rather than of the candidate.
    """
    by_kind = {kind: [i for i, frame in enumerate(frames) if frame.kind is kind] for kind in FrameKind}
    losses = iter((*by_kind[FrameKind.LOSS], *by_kind[FrameKind.FAILURE]))
    wins = iter(by_kind[FrameKind.WIN])
    won = 0
    for number in range(1, len(frames) + 1):
        win = next(wins, None) if number > 1 and 4 * won < number else None
        if win is None and (loss := next(losses, None)) is not None:
            yield loss
            continue
        won += 1
        yield next(wins) if win is None else win


def _level(sizes: Sequence[int], max_bytes: int) -> int:
    """Give the size that frames are cut to, so that they fit as an array: two brackets and the commas."""
    return level(sizes, max_bytes - 1 - len(sizes))


def _how_many(sizes: Sequence[int], max_bytes: int) -> int:
    """Give how many of the first fit without being cut too small."""
    low, high = 0, len(sizes)
    while low < high:
        middle = (low + high + 1) // 2
        enough = min(SMALLEST_FRAME, max(sizes[:middle]))
        low, high = (middle, high) if _level(sizes[:middle], max_bytes) >= enough else (low, middle - 1)
    return low


def _left_out(
    frames: Sequence[EvidenceFrame], sizes: Sequence[int], shown: dict[int, EvidenceFrame]
) -> LeftOut:
    missing = [frame for index, frame in enumerate(frames) if index not in shown]
    wins = sum(frame.kind is FrameKind.WIN for frame in missing)
    kept = sum(
        sizes[index] if frame is frames[index] else size(plain(frame)) for index, frame in shown.items()
    )
    return LeftOut(len(missing), len(missing) - wins, wins, sum(sizes) - kept)


def cut_frame(frame: EvidenceFrame, room: int) -> EvidenceFrame | None:
    """Give the frame with its longest fields cut to fit; ``None`` where its fixed parts are too long."""
    parts = _parts(frame)
    bare = attrs.evolve(frame, **_NOTHING, failure=_failure(frame, ""), cut=tuple(parts))
    sizes = {name: size(value) for name, value in parts.items()}
    left = room - size(plain(bare)) - sum(len(name) + 4 for name in parts)
    if left < 0:
        return None
    share = level(list(sizes.values()), left)
    fields = {name: _part(name, value, share) for name, value in parts.items()}
    changed = tuple(name for name in parts if sizes[name] > share)
    message = fields.pop(_FAILURE, "")
    return attrs.evolve(frame, **fields, failure=_failure(frame, message), cut=changed)


def _parts(frame: EvidenceFrame) -> dict[str, JSONValue]:
    """Give the fields that may be cut, where they say something."""
    values: dict[str, JSONValue] = {name: getattr(frame, name) for name in _NOTHING}
    if frame.failure is not None:
        values[_FAILURE] = frame.failure.message
    return {name: value for name, value in values.items() if value not in (None, {}, "")}


def _failure(frame: EvidenceFrame, message: Any) -> Any:
    return None if frame.failure is None else attrs.evolve(frame.failure, message=message)


def _part(name: str, value: Any, room: int) -> Any:
    if size(value) <= room:
        return value
    if name in _NUMBERS:
        return _numbers(value, room)
    shortened = cut_text(value, room) if name == _FAILURE else cut(value, room)
    if shortened is GONE:
        return "" if name == _FAILURE else _NOTHING[name]
    return shortened


def _numbers(value: Any, room: int) -> dict[str, float]:
    kept: dict[str, float] = {}
    left = room - 2
    for key, number in value.items():
        left -= size(key) + size(number) + 2
        if left < 0:
            break
        kept[key] = number
    return kept
