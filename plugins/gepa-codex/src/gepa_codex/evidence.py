"""Puts evidence into words: losses first, bounded, and open about what was left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from gepa_framework.types import EvidenceFrame, JSONValue

#: A frame is never cut below this, rather fewer frames are shown.
SMALLEST_FRAME: Final = 1_000
FULL_REWARD: Final = 1.0


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
    """Give losses, worst first and failed rollouts last, and wins; equal rewards stay in their order.

    A win has the full reward 1, or the best reward seen where rewards go beyond 1.
    """
    best = max((frame.reward for frame in frames if frame.reward is not None), default=FULL_REWARD)
    bar = max(FULL_REWARD, best)
    wins = [frame for frame in frames if frame.reward is not None and frame.reward >= bar]
    losses = [frame for frame in frames if frame.reward is None or frame.reward < bar]
    return sorted(losses, key=lambda f: float("inf") if f.reward is None else f.reward), wins


def render(frames: Sequence[EvidenceFrame], limit: int) -> Evidence:
    """Put the frames into at most about `limit` characters."""
    if not frames:
        return Evidence("No examples were recorded.", 0, 0)
    losses, wins = ordered(frames)
    queue = [(frame, "missed") for frame in losses] + [(frame, "handled well") for frame in wins]
    texts = [_frame(frame, number, verdict, None) for number, (frame, verdict) in enumerate(queue, 1)]
    if sum(map(len, texts)) > limit:
        share = max(limit // len(queue), SMALLEST_FRAME)
        kept = queue[: max(limit // share, 1)]
        texts = [_frame(frame, number, verdict, share) for number, (frame, verdict) in enumerate(kept, 1)]
    left_out = len(queue) - len(texts)
    counts = f"{len(losses)} missed, {len(wins)} handled well"
    head = f"{counts}; {len(texts)} shown, {left_out} left out for lack of room."
    return Evidence("\n\n".join([head, *texts]), len(texts), left_out)


def _frame(frame: EvidenceFrame, number: int, verdict: str, limit: int | None) -> str:
    parts = _parts(frame)
    if limit is not None:
        room = limit // len(parts)
        parts = [(name, clipped(text, room)) for name, text in parts]
    body = "\n".join(f"<{name}>\n{text}\n</{name}>" for name, text in parts)
    reward = "no score" if frame.reward is None else f"reward {frame.reward:g}"
    return f"### Example {number}: {verdict}, {reward}\n{body}"


def _parts(frame: EvidenceFrame) -> list[tuple[str, str]]:
    parts = [("inputs", plain(frame.inputs))]
    if frame.output is not None:
        parts.append(("output", plain(frame.output)))
    if frame.feedback:
        parts.append(("feedback", plain(frame.feedback)))
    if frame.objectives:
        parts.append(("objectives", plain(dict(frame.objectives))))
    if frame.failure is not None:
        failure = frame.failure
        parts.append(("failure", f"{failure.kind.value} ({failure.code}): {failure.message}"))
    return parts
