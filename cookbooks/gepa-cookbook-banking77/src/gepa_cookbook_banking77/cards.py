"""Intent cards: the one component that the optimizer edits.

One card to a line, ``- intent: phrase, phrase, …``. Every other line is free text for a model to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

MARK = "- "


def card_of(line: str) -> tuple[str, str] | None:
    """Give intent and body of a card line, or ``None`` where the line is not a card."""
    text = line.strip()
    if not text.startswith(MARK) or ":" not in text:
        return None
    name, _, body = text.removeprefix(MARK).partition(":")
    return (name.strip(), body.strip()) if name.strip() else None


def parse_cards(text: str) -> dict[str, str]:
    """Give intent to body, in the order of the text; cards of one intent are joined.

    Lines that are no cards are left out; a text without any card gives an empty mapping.
    """
    cards: dict[str, str] = {}
    for line in text.splitlines():
        card = card_of(line)
        if card is not None:
            name, body = card
            cards[name] = f"{cards[name]}, {body}" if cards.get(name) else body
    return cards


def phrases_of(body: str) -> tuple[str, ...]:
    """Give the phrases of a card's body: what stands between commas and semicolons."""
    parts = body.replace(";", ",").split(",")
    return tuple(part.strip() for part in parts if part.strip())


def render_card(name: str, phrases: Iterable[str]) -> str:
    """Write one card."""
    return f"{MARK}{name}: {', '.join(phrases)}"


def replace_cards(text: str, bodies: Mapping[str, tuple[str, ...]]) -> str:
    """Rewrite the cards of the given intents and leave every other line as it is, byte for byte.

    An intent that has no card yet gets one at the end; of several cards of one intent the first is
    rewritten and the others are dropped, since their phrases are in the body already.
    """
    lines: list[str] = []
    written: set[str] = set()
    for line in text.splitlines(keepends=True):
        card = card_of(line)
        if card is None or card[0] not in bodies:
            lines.append(line)
        elif card[0] not in written:
            written.add(card[0])
            ending = line[len(line.rstrip("\r\n")) :]
            lines.append(render_card(card[0], bodies[card[0]]) + ending)
    missing = [name for name in bodies if name not in written]
    if missing and lines and not lines[-1].endswith(("\n", "\r")):
        lines.append("\n")
    return "".join(lines) + "\n".join(render_card(name, bodies[name]) for name in missing)


def seed_cards(intents: Iterable[str]) -> str:
    """Write the seed candidate: the words of its own name are all that a card knows."""
    return "\n".join(render_card(name, (name_words(name),)) for name in intents)


def name_words(intent: str) -> str:
    """Give the name of an intent as words, such as ``card arrival``."""
    kept = "".join(char if char.isalnum() else " " for char in intent)
    return " ".join(kept.split()).lower()
