"""Writing to stdout and stderr, where a reader who has gone away is no failure of ours."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from typing import TextIO

SCHEMA = 1


def answer(text: str) -> bool:
    """Write a line of the answer to stdout, and tell whether anybody still reads it."""
    return _write(sys.stdout, text)


def talk(text: str) -> None:
    """Write a line of talk to stderr."""
    _write(sys.stderr, text)


def answer_json(value: Mapping[str, object]) -> None:
    """Write one JSON object, with the version of its schema, on a line of stdout.

    Raises:
        ValueError: The value holds NaN or an infinity.
        TypeError: The value is not JSON.
    """
    # ASCII, so that no encoding of the terminal can spoil it.
    answer(json.dumps({"schema": SCHEMA, **value}, allow_nan=False))


def reader_left() -> None:
    """Note that nobody reads stdout any more, where somebody else has written to it."""
    _silence(sys.stdout)


def _write(stream: TextIO, text: str) -> bool:
    try:
        stream.write(_encodable(text, stream) + "\n")
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
        return False
    return True


def _encodable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def _silence(stream: TextIO) -> None:
    """Point a stream that nobody reads at nowhere, so that the flush at exit cannot fail either."""
    # A stream without a file descriptor has no pipe to break at exit.
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
