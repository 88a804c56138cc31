"""Where every key of a TOML text stands; no TOML library keeps positions.

The scanner accepts all that TOML accepts and more: what it lets pass may still be refused by the parser
(duplicate keys, impossible dates), but what it refuses is never TOML. It runs before the parser and so
also guards it against keys and nesting that would take seconds or the whole stack.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Sequence
from typing import TypeAlias

import attrs
import tomlkit
from tomlkit.exceptions import TOMLKitError

Parts: TypeAlias = "tuple[str, ...]"

#: The longest path, in keys and array indices; the parser recurses once or more for each.
MAX_DEPTH = 32
#: The longest path in characters; a long key counts again for everything below it.
MAX_PATH_CHARS = 1024

#: The most keys and array elements; a parser that keeps layout needs seconds for more.
MAX_PATHS = 50_000

_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_SPACE = re.compile(r"[ \t]*+")
_LINE_END = re.compile(r"[ \t]*+(?:#[^\n]*+)?+\r?(?:\n|\Z)")
_BARE = re.compile(r"[A-Za-z0-9_-]++")
_SCALAR = re.compile(r"[^,\]}#\s]++(?: [0-9][^,\]}#\s]*+)?+")
_STRINGS = (
    re.compile(r'"""(?:[^"\\]++|\\[\s\S]|"(?!""))*+"{3,5}'),
    re.compile(r"'''(?:[^']++|'(?!''))*+'{3,5}"),
    re.compile(r'"(?!"")(?:[^"\\\n]++|\\.)*+"'),
    re.compile(r"'(?!'')[^'\n]*+'"),
)


class LocateError(ValueError):
    """The text is not TOML, or nested too deep to be read; carries what is wrong, line and column."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message, line, column)
        self.message = message
        self.line = line
        self.column = column


def dotted(parts: Sequence[str]) -> str:
    """Give the one spelling of a path: keys joined by dots, quoted where TOML asks for quotes."""
    return ".".join(part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False) for part in parts)


def locate(text: str) -> dict[str, tuple[int, int]]:
    """Give 1-based line and column of every key, table, table entry and array element, by dotted path.

    A key stands where it is first written, in a header or before a ``=``; an array element stands where its
    value starts; entry ``stoppers.1`` stands at the key of the second ``[[stoppers]]``.

    Raises:
        LocateError: The text cannot be TOML, holds more than 50,000 keys and array elements, or one whose
            path is longer than 32 parts or 1024 characters.
    """
    scanner = _Scanner(text)
    scanner.document()
    return {dotted(parts): scanner.position(offset) for parts, offset in scanner.found.items()}


def read_key(text: str) -> tuple[Parts, str]:
    """Give the parts of the dotted key that a text starts with, and what follows it.

    Raises:
        LocateError: The text does not start with a key, or the key has more than 32 parts.
    """
    scanner = _Scanner(text)
    parts = scanner.key()
    if len(parts) > MAX_DEPTH:
        raise LocateError(f"nested more than {MAX_DEPTH} deep", 1, 1)
    return tuple(name for name, _ in parts), text[scanner.at :]


def _newlines(scanner: _Scanner) -> list[int]:
    return [match.start() for match in re.finditer("\n", scanner.text)]


@attrs.define
class _Scanner:
    text: str
    at: int = 0
    found: dict[Parts, int] = attrs.field(factory=dict)
    entries: dict[Parts, int] = attrs.field(factory=dict)
    tables: set[Parts] = attrs.field(factory=set)
    newlines: list[int] = attrs.field(default=attrs.Factory(_newlines, takes_self=True))

    def document(self) -> None:
        table: Parts = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            if self._match(_LINE_END) is None:
                self._skip(_SPACE)
                raise self._error("expected the end of the line")
            self._skip(_BLANK)

    def key(self) -> list[tuple[str, int]]:
        parts = [self._key_part()]
        while self._take("."):
            parts.append(self._key_part())
        return parts

    def position(self, offset: int) -> tuple[int, int]:
        line = bisect.bisect_left(self.newlines, offset)
        return line + 1, offset - (self.newlines[line - 1] if line else -1)

    def _header(self) -> Parts:
        close = "]]" if self.text.startswith("[[", self.at) else "]"
        self.at += len(close)
        parts = self.key()
        self._expect(close)
        path: Parts = ()
        for name, offset in parts[:-1]:
            path = self._current_entry(self._record((*path, name), offset))
        name, offset = parts[-1]
        path = (*path, name)
        if close == "]]":
            return self._next_entry(self._record(path, offset), offset)
        if path in self.tables:
            raise self._twice(path, offset)
        self.tables.add(path)
        return self._current_entry(self._record(path, offset))

    def _current_entry(self, path: Parts) -> Parts:
        return (*path, str(self.entries[path] - 1)) if path in self.entries else path

    def _next_entry(self, path: Parts, offset: int) -> Parts:
        index = self.entries.get(path, 0)
        self.entries[path] = index + 1
        return self._record((*path, str(index)), offset)

    def _pair(self, table: Parts) -> None:
        path = table
        parts = self.key()
        for name, offset in parts[:-1]:
            path = self._record((*path, name), offset)
        name, offset = parts[-1]
        path = (*path, name)
        if path in self.found:
            raise self._twice(path, offset)
        self._record(path, offset)
        self._expect("=")
        self._value(path)

    def _value(self, path: Parts) -> None:
        self._skip(_SPACE)
        start = self.at
        if self._take("["):
            self._array(path, start)
        elif self._take("{"):
            self._inline_table(path, start)
        elif self.text.startswith(('"', "'"), self.at):
            self._string()
        elif self._match(_SCALAR) is None:
            raise self._error("expected a value")

    def _array(self, path: Parts, start: int) -> None:
        index = 0
        while not self._closed("]", start):
            self._value(self._record((*path, str(index)), self.at))
            self._separator("]")
            index += 1

    def _inline_table(self, path: Parts, start: int) -> None:
        while not self._closed("}", start):
            self._pair(path)
            self._separator("}")

    def _closed(self, close: str, start: int) -> bool:
        self._skip(_BLANK)
        if self.at == len(self.text):
            raise self._error(f"'{self.text[start]}' is not closed", start)
        return self._take(close)

    def _separator(self, close: str) -> None:
        self._skip(_BLANK)
        at_end = self.at == len(self.text)
        if not self._take(",") and not at_end and not self.text.startswith(close, self.at):
            raise self._error(f"expected ',' or '{close}'")

    def _key_part(self) -> tuple[str, int]:
        self._skip(_SPACE)
        start = self.at
        if self.text.startswith(('"', "'"), start):
            name = self._quoted_key(self._string())
        elif bare := self._match(_BARE):
            name = bare
        else:
            raise self._error("expected a key")
        self._skip(_SPACE)
        return name, start

    def _quoted_key(self, token: str) -> str:
        if token.startswith(('"""', "'''")):
            raise self._error("a key cannot be a multi-line string")
        if "\\" not in token or token.startswith("'"):
            return token[1:-1]
        try:
            return str(tomlkit.value(token).unwrap())
        except (TOMLKitError, ValueError) as error:
            raise self._error("a key with an escape that TOML does not know") from error

    def _string(self) -> str:
        for form in _STRINGS:
            if token := self._match(form):
                return token
        raise self._error("a string that is not closed")

    def _record(self, path: Parts, offset: int) -> Parts:
        if len(path) > MAX_DEPTH:
            raise self._error(f"nested more than {MAX_DEPTH} deep", offset)
        if sum(map(len, path)) > MAX_PATH_CHARS:
            raise self._error(f"a key path of more than {MAX_PATH_CHARS} characters", offset)
        self.found.setdefault(path, offset)
        if len(self.found) > MAX_PATHS:
            raise self._error(f"more than {MAX_PATHS} keys and array elements", offset)
        return path

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match.group()

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._match(pattern)

    def _take(self, token: str) -> bool:
        found = self.text.startswith(token, self.at)
        self.at += len(token) if found else 0
        return found

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self._error(f"expected '{token}'")

    def _twice(self, path: Parts, offset: int) -> LocateError:
        first, _ = self.position(self.found[path])
        return self._error(f"'{dotted(path)}' is given twice, first in line {first}", offset)

    def _error(self, message: str, offset: int | None = None) -> LocateError:
        return LocateError(message, *self.position(self.at if offset is None else offset))
