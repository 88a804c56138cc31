"""Puts evidence into words: losses first, bounded, and open about what was left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from gepa_framework.types import EvidenceFrame, FrameKind, JSONValue, LeftOut

#: A frame is never cut below this, rather fewer frames are shown.
SMALLEST_FRAME: Final = 1_000
NOTHING: Final = LeftOut()

_SAID: Final = ("side_info", "feedback", "rationales", "objectives", "metrics")
_TITLES: Final = {"side_info": "what_helps", "metrics": "terms_of_the_reward"}


@attrs.frozen
class Evidence:
    """Evidence as text.

    Attributes:
        text: What the model reads.
        shown: Number of frames in it.
        left_out: Number of frames that found no room.
    """

    text: str
    shown: int
    left_out: int


def plain(value: JSONValue) -> str:
    """Give a value as text: strings as they are, everything else as JSON with its keys in order."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, default=_plain_mapping)


def _plain_mapping(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def clipped(text: str, limit: int) -> str:
    """Give the text, its middle left out and counted where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit // 3
    end = text[-tail:] if tail else ""
    return f"{text[:head]}\n[... {len(text) - head - tail} characters left out ...]\n{end}"


def ordered(frames: Sequence[EvidenceFrame]) -> tuple[list[EvidenceFrame], list[EvidenceFrame]]:
    """Give losses, worst first and failed rollouts last, and wins; equal rewards stay in their order."""
    wins = [frame for frame in frames if frame.kind is FrameKind.WIN]
    losses = [frame for frame in frames if frame.kind is not FrameKind.WIN]
    return sorted(losses, key=lambda f: float("inf") if f.reward is None else f.reward), wins


def render(frames: Sequence[EvidenceFrame], limit: int, missing: LeftOut = NOTHING) -> Evidence:
    """Put the frames into at most about `limit` characters.

    Args:
        frames: What the request shows.
        limit: Characters.
        missing: What the request had no room for; it is counted among what is left out.
    """
    if not frames:
        return Evidence("No examples were recorded.", 0, missing.frames)
    losses, wins = ordered(frames)
    queue = [(frame, "missed") for frame in losses] + [(frame, "handled well") for frame in wins]
    texts = [_frame(frame, number, verdict, None) for number, (frame, verdict) in enumerate(queue, 1)]
    if sum(map(len, texts)) > limit:
        share = max(limit // len(queue), SMALLEST_FRAME)
        kept = queue[: max(limit // share, 1)]
        texts = [_frame(frame, number, verdict, share) for number, (frame, verdict) in enumerate(kept, 1)]
    left_out = len(queue) - len(texts) + missing.frames
    counts = f"{len(losses) + missing.losses} missed, {len(wins) + missing.wins} handled well"
    head = f"{counts}; {len(texts)} shown, {left_out} left out for lack of room."
    return Evidence("\n\n".join([head, *texts]), len(texts), left_out)


def _frame(frame: EvidenceFrame, number: int, verdict: str, limit: int | None) -> str:
    parts = _parts(frame)
    if limit is not None:
        room = limit // len(parts)
        parts = [(name, clipped(text, room)) for name, text in parts]
    body = "\n".join(f"<{name}>\n{text}\n</{name}>" for name, text in parts)
    reward = "no score" if frame.reward is None else f"reward {frame.reward:g}"
    alike = f", {frame.count} times alike" if frame.count > 1 else ""
    return f"### Example {number}: {verdict}, {reward}{alike}\n{body}"


def _parts(frame: EvidenceFrame) -> list[tuple[str, str]]:
    parts = [("inputs", plain(frame.inputs))]
    if frame.output is not None:
        parts.append(("output", plain(frame.output)))
    said = ((name, getattr(frame, name)) for name in _SAID)
    parts += [(_TITLES.get(name, name), plain(value)) for name, value in said if value]
    if frame.failure is not None:
        failure = frame.failure
        parts.append(("failure", f"{failure.kind.value} ({failure.code}): {failure.message}"))
    return parts
