"""From a file to plain TOML values with positions, within bounds of size and nesting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError

from gepa_framework.config.locate import LocateError, locate
from gepa_framework.config.places import raise_problems
from gepa_framework.errors import Problem

MAX_BYTES = 1_000_000

_PARSER_PLACE = re.compile(r" at line \d+ col \d+$")


@attrs.frozen
class Document:
    """A parsed text.

    Attributes:
        data: Its top table, in plain Python values; the caller's own to change.
        positions: Dotted path to 1-based line and column.
    """

    data: dict[str, Any]
    positions: dict[str, tuple[int, int]]


def read_text(path: Path, file: str) -> str:
    """Read a configuration file.

    Args:
        path: The file.
        file: The same as the user named it, for messages.

    Raises:
        ConfigError: It is missing, no regular file, too large or not UTF-8.
    """
    return _decoded(_read_bytes(path, file), file)


def _read_bytes(path: Path, file: str) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise_problems(file, [Problem("", "is not a regular file", "name a TOML file", file)])
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise_problems(file, [Problem("", f"cannot be read: {said}", "check the path", file)])


def _decoded(raw: bytes, file: str) -> str:
    _check_size(len(raw), file)
    try:
        # Some editors put a byte order mark first; TOML has no use for it.
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = len(raw[: error.start].rpartition(b"\n")[2].decode("utf-8")) + 1
        message = f"is not UTF-8: byte 0x{raw[error.start]:02x}"
        raise_problems(file, [Problem("", message, "save the file as UTF-8", file, line, column)])


def _check_size(size: int, file: str) -> None:
    if size > MAX_BYTES:
        message = f"is larger than {MAX_BYTES} bytes"
        raise_problems(file, [Problem("", message, "a configuration names data, it does not hold it", file)])


def parse_document(text: str, file: str) -> Document:
    """Parse a TOML text.

    Raises:
        ConfigError: The text is too large, nested too deep or not TOML; says where.
    """
    _check_size(len(text.encode("utf-8", "surrogatepass")), file)
    try:
        positions = locate(text)
        return Document(tomlkit.parse(text).unwrap(), positions)
    except LocateError as error:
        raise_problems(file, [Problem("", error.message, "", file, error.line, error.column)])
    except ParseError as error:
        message = _PARSER_PLACE.sub("", str(error)).rstrip(".")
        # The parser counts columns from 0.
        raise_problems(file, [Problem("", message, "", file, error.line, error.col + 1)])
    except (TOMLKitError, ValueError) as error:
        raise_problems(file, [Problem("", f"is not TOML: {error}", "", file)])
