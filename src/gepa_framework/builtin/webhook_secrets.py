"""What a webhook may not tell: signing keys and the values of headers, and how a message is signed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

import attrs

from gepa_framework.builtin.webhook_config import WebhookConfig
from gepa_framework.errors import ConfigError, Problem

PREFIX: Final = "whsec_"
#: Fewer bytes can be guessed, more are of no use.
KEY_BYTES: Final = range(24, 65)

_MAKE = (
    'make one with: python -c "import base64, secrets; '
    f"print('{PREFIX}' + base64.b64encode(secrets.token_bytes(32)).decode())\""
)
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")


@attrs.frozen
class WebhookSecrets:
    """All that is secret of one webhook. Its text shows none of it.

    Attributes:
        keys: Each signs every message.
        headers: Further headers.
        texts: What must be taken out of every message for people.
    """

    keys: tuple[bytes, ...] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    texts: tuple[str, ...] = attrs.field(default=(), repr=False)

    @classmethod
    def read(cls, config: WebhookConfig, environ: Mapping[str, str]) -> WebhookSecrets:
        """Read them from the environment.

        Raises:
            ConfigError: A variable is not set, or does not hold what it should; none of them is shown.
        """
        problems = []
        secrets = environ.get(config.secret_env, "").split()
        keys = [_key(secret) for secret in secrets]
        if not secrets:
            problems.append(_unset("secret_env", config.secret_env, _MAKE))
        elif None in keys:
            what = f"{config.secret_env} must hold {PREFIX} and base64 of 24 to 64 bytes"
            problems.append(Problem("secret_env", what, _MAKE))
        headers = {name: environ.get(variable, "") for name, variable in config.headers_env.items()}
        for name, variable in config.headers_env.items():
            if not headers[name]:
                problems.append(_unset(f"headers_env.{name}", variable, "set it"))
            elif not _VALUE.fullmatch(headers[name]):
                what = f"{variable} must hold one line of visible ASCII"
                problems.append(Problem(f"headers_env.{name}", what, "mend it"))
        if problems:
            raise ConfigError(problems[0].message, hint=problems[0].hint, problems=tuple(problems))
        return cls(tuple(key for key in keys if key), headers, (*secrets, *headers.values()))

    def signed(self, message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
        """Give the headers of one attempt, as Standard Webhooks has them.

        Args:
            message_id: The same for all attempts.
            timestamp: Seconds since 1970 at which this attempt is made.
            body: As it is sent.
        """
        content = f"{message_id}.{timestamp}.".encode() + body
        signatures = (hmac.new(key, content, hashlib.sha256).digest() for key in self.keys)
        return {
            **self.headers,
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signatures),
        }


def _unset(key: str, variable: str, cure: str) -> Problem:
    return Problem(key, f"the environment variable {variable} is not set", cure)


def _key(secret: str) -> bytes | None:
    """Give the bytes of a secret; ``None`` where it is none."""
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) in KEY_BYTES else None
