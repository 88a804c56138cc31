"""Warnings that the framework and its plugins log, as lines of talk."""

from __future__ import annotations

import logging
import os

from gepa_framework.cli import output
from gepa_framework.cli.words import clean
from gepa_framework.net.redact import Redactor, secrets_of


class _Talk(logging.Handler):
    """Writes records to stderr; tracebacks only when they are wanted."""

    def __init__(self, *, verbose: bool) -> None:
        super().__init__(logging.WARNING)
        self._verbose = verbose

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = f"{record.levelname.lower()}: {record.getMessage()}"
            if self._verbose and record.exc_info:
                text += "\n" + _discreet(logging.Formatter().formatException(record.exc_info))
            output.talk(clean(text))
        except Exception:  # noqa: BLE001 - what a record holds is not ours; logging knows what to do
            self.handleError(record)


def _discreet(text: str) -> str:
    # What a plugin raises may hold what it sent.
    return Redactor(secrets_of(os.environ))(text)


def show_warnings(*, verbose: bool) -> None:
    """Show what is logged as a warning or worse, in place of Python's own way of doing so."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _Talk)]:
        root.removeHandler(handler)
    root.addHandler(_Talk(verbose=verbose))
