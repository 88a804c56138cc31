"""Taking secrets out of texts before they are shown or kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

#: What a secret is replaced by.
MASK = "[redacted]"
#: A shorter "secret" would take innocent words out of every text.
MIN_SECRET_CHARS = 6

_SECRET_NAME = re.compile(
    r"(api_?keys?|(access|private|secret|signing)_?key|token|secrets?|passw(or)?d|passphrase|credentials?"
    r"|authorization|cookie)$",
    re.IGNORECASE,
)
_PATTERNS = (
    re.compile(r"\b(sk|rk|pk)-[A-Za-z0-9_-]{8,}"),
    re.compile(r"(?i)(?<=\bbearer )[A-Za-z0-9._~+/=-]{4,}"),
    re.compile(r"(?i)(?<=\bbasic )[A-Za-z0-9+/=]{8,}"),
)


def is_secret_name(name: str) -> bool:
    """Tell whether a variable, header or key of this name holds a credential.

    A name that ends in ``_env`` names the place of one, and is not one itself.
    """
    return _SECRET_NAME.search(name.replace("-", "_")) is not None


def secrets_of(values: Mapping[str, str]) -> tuple[str, ...]:
    """Give the values whose names say that they are secret: environment variables or headers."""
    return tuple(value for name, value in values.items() if is_secret_name(name))


def _spellings(secret: str) -> set[str]:
    """Give the secret as plain text, inside JSON and inside a URL."""
    return {secret, json.dumps(secret)[1:-1], quote(secret, safe="")}


class Redactor:
    """Takes known secrets, and what looks like one, out of a text.

    Args:
        secrets: Texts never to be shown; those under six characters are left alone.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {text for secret in secrets if len(secret) >= MIN_SECRET_CHARS for text in _spellings(secret)}
        # The longest first, or a secret that begins with another one would leave its tail behind.
        ordered = sorted(known, key=lambda text: (-len(text), text))
        exact = [re.compile("|".join(map(re.escape, ordered)))] if ordered else []
        self._patterns = (*exact, *_PATTERNS)

    def __call__(self, text: str) -> str:
        """Give the text with every secret masked."""
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        return text
