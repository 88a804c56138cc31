"""Keeps secrets out of everything that leaves the plugin."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Final

MARK: Final = "[redacted]"
_SHORTEST: Final = 4
_SHAPES: Final = (
    re.compile(r"\bsk-[A-Za-z0-9_*.\-]{4,}"),
    re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/=\-]{4,}"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)


class Redactor:
    """Replaces the known secrets, and what has the shape of one.

    Args:
        secrets: Values that must never be seen; blank and very short ones are no secrets.
        further: The run's own redaction, applied last.
    """

    def __init__(self, secrets: Iterable[str], further: Callable[[str], str] = str) -> None:
        known = [secret for secret in secrets if len(secret.strip()) >= _SHORTEST]
        # A file of JSON lines holds a secret as JSON spells it.
        spelled = {*known, *(json.dumps(secret)[1:-1] for secret in known)}
        self._secrets = sorted(spelled, key=lambda secret: (-len(secret), secret))
        self._further = further

    def __call__(self, text: str) -> str:
        """Give the text without secrets, for people and for files."""
        text = self.exact(text)
        for shape in _SHAPES:
            text = shape.sub(MARK, text)
        return self._further(text)

    def exact(self, text: str) -> str:
        """Give the text without the known secrets, and otherwise as it is, for the model."""
        for secret in self._secrets:
            text = text.replace(secret, MARK)
        return text

    def found_in(self, text: str) -> bool:
        """Tell whether the text holds a known secret."""
        return any(secret in text for secret in self._secrets)
