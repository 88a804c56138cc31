"""``GEPA_TRACE_PLUGINS=1``: each hook call on stderr: whose, how long, and its arguments without secrets."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from gepa_framework.net.redact import MASK, Redactor, is_secret_name, secrets_of
from gepa_framework.types import BuildContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gepa_framework.plugins.found import Found

VARIABLE = "GEPA_TRACE_PLUGINS"
_LOGGER = logging.getLogger("gepa_framework.plugins.trace")
_SHOWN_CHARS = 500


@contextmanager
def traced(found: Found, hook: str, arguments: Mapping[str, object]) -> Iterator[Callable[[object], None]]:
    """Tell of one call; the block is given what takes the result.

    Args:
        found: Whose hook it is.
        hook: The hook.
        arguments: What it is called with.
    """
    if os.environ.get(VARIABLE, "") in ("", "0"):
        yield lambda _: None
        return
    began, told = time.perf_counter(), ["nothing"]

    def take(result: object) -> None:
        told[0] = type(result).__name__

    try:
        yield take
    except BaseException as error:
        _tell(found, hook, arguments, f"raised {type(error).__name__}: {error}", began)
        raise
    _tell(found, hook, arguments, f"gave {told[0]}", began)


def _tell(found: Found, hook: str, arguments: Mapping[str, object], what: str, began: float) -> None:
    shown = ", ".join(f"{name}={_shown(value)}" for name, value in arguments.items())
    milliseconds = (time.perf_counter() - began) * 1000
    line = f"trace: {found.owner}: {hook}({shown}) {what} in {milliseconds:.1f} ms"
    redact = Redactor(secrets_of(os.environ))
    _to_stderr()
    _LOGGER.info("%s", redact(line))


def _shown(value: object) -> str:
    """Give an argument as text; what is secret by its name is masked."""
    if isinstance(value, BuildContext):
        return f"{type(value).__name__}(run_id={value.run_id!r}, run_dir={str(value.run_dir)!r}, …)"
    kind = type(value)
    if attrs.has(kind):
        fields = (
            f"{each.name}={_field(each.name, getattr(value, each.name))}" for each in attrs.fields(kind)
        )
        return f"{kind.__name__}({', '.join(fields)})"
    try:
        return repr(value)[:_SHOWN_CHARS]
    except Exception:  # noqa: BLE001 - how a value of a plugin wants to be shown is no matter here
        return f"<{kind.__name__}>"


def _field(name: str, value: object) -> str:
    if is_secret_name(name):
        return MASK
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_field(str(key), item)}" for key, item in value.items()) + "}"
    return _shown(value)


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to what stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _to_stderr() -> None:
    """Have the lines shown, whoever runs this and whatever is logged otherwise."""
    if not any(isinstance(handler, _Stderr) for handler in _LOGGER.handlers):
        _LOGGER.addHandler(_Stderr())
        _LOGGER.setLevel(logging.INFO)
