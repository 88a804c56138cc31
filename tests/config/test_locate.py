from __future__ import annotations

import contextlib
import json
import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gepa_framework.config.locate import LocateError, dotted, locate, read_key

REPOSITORY = Path(__file__).parents[2]
BUILT = {".venv", "build", "dist", ".git", "node_modules"}


def files():
    found = []
    for folder, below, names in os.walk(REPOSITORY):
        below[:] = [name for name in below if name not in BUILT]
        found += [Path(folder, name) for name in names if name.endswith(".toml")]
    return sorted(found)


def paths(value, at=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*at, str(key))
        yield from paths(item, (*at, str(key)))


def check(text):
    """Every key path of the document has a place, there is no other place, and the key stands there."""
    places = locate(text)
    lines = text.split("\n")
    known = {dotted(path): path for path in paths(tomllib.loads(text))}
    assert places.keys() == known.keys()
    for path, (line, column) in places.items():
        there = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        check_text(tomllib.loads(text), known[path], there)


def check_text(data, path, there):
    *above, last = path
    node = data
    for part in above:
        node = node[int(part)] if isinstance(node, list) else node[part]
    if isinstance(node, dict):
        assert read_key(there)[0][0] == last
    elif isinstance(node[int(last)], dict) and not there.startswith("{"):
        assert read_key(there)[0][0] == above[-1]
    else:
        assert_value(there, node[int(last)])


def assert_value(there, value):
    """The shortest prefix that is a TOML value is the value itself."""
    opening = {dict: "{", list: "["}.get(type(value))
    if opening:
        assert there.startswith(opening)
        return
    for end in range(1, len(there) + 1):
        if end < len(there) and re.match(r"[^\s,\]}#]", there[end]):
            continue
        try:
            assert tomllib.loads(f"v = {there[:end]}")["v"] == value
        except tomllib.TOMLDecodeError:
            continue
        return
    pytest.fail(f"no value at {there[:40]!r}")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_key_of_every_file_of_the_repository_is_found(path):
    check(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ("a = 1", "a", (1, 1)),
        ("\n  a = 1", "a", (2, 3)),
        ("# c\r\n\r\na = 1\r\nb = 2\r\n", "b", (4, 1)),
        ("[t]\nk = 1", "t", (1, 2)),
        ("[t]\nk = 1", "t.k", (2, 1)),
        ("[ a . b ]\nc=1", "a.b", (1, 7)),
        ("[a.b]\nc=1", "a", (1, 2)),
        ("a.b.c = 1", "a.b.c", (1, 5)),
        ('a."b.c" = 1', 'a."b.c"', (1, 3)),
        ("a.'b c' = 1", 'a."b c"', (1, 3)),
        ('"\\u00e9\\t" = 1', '"é\\t"', (1, 1)),
        ('"" = 1', '""', (1, 1)),
        ("x = [1, 2]", "x.1", (1, 9)),
        ("x = [\n  1, # one\n  2,\n]", "x.1", (3, 3)),
        ("x = [[1], [2, 3]]", "x.1.1", (1, 15)),
        ("x = {a = 1, b.c = 2}", "x.b.c", (1, 15)),
        ("x = [{a = 1}, {a = 2}]", "x.1.a", (1, 16)),
        ("[[s]]\nu=1\n[[s]]\nu=2", "s.1", (3, 3)),
        ("[[s]]\nu=1\n[[s]]\nu=2", "s.1.u", (4, 1)),
        ("[[s]]\nu=1\n[[s]]\nu=2", "s", (1, 3)),
        ("[[s]]\n[s.t]\nk=1\n[[s]]\n[s.t]\nk=2", "s.1.t.k", (6, 1)),
        ("[[s]]\n[[s.u]]\nk=1\n[[s.u]]\nk=2", "s.0.u.1.k", (5, 1)),
        ("[a.b]\nc=1\n[a]\nd=1", "a.d", (4, 1)),
        ("[[d]]\na=1\n[x]\n[[d]]\na=2", "d.1.a", (5, 1)),
        ('a = """x\n[no]\ny = 1"""\nb = 1', "b", (4, 1)),
        ("a = '''x\n'' = 1'''\nb = 1", "b", (3, 1)),
        ('a = """"quoted""""\nb = 1', "b", (2, 1)),
        ('a = """x\\"""y"""\nb = 1', "b", (2, 1)),
        ("a = \"\"\nb = ''\nc = 1", "c", (3, 1)),
        ('a = "\\\\"\nb = "#"\nc = 1', "c", (3, 1)),
        ("a = 1979-05-27 07:32:00\nb = 1", "b", (2, 1)),
        ("é = 1".replace("é", '"é"') + "\nb = 1", "b", (2, 1)),
    ],
)
def test_a_key_stands_where_it_is_written(text, path, place):
    assert locate(text)[path] == place
    check(text)


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("[run", "expected ']'", (1, 5)),
        ("[[run]", "expected ']]'", (1, 6)),
        ("[]", "expected a key", (1, 2)),
        ("= 1", "expected a key", (1, 1)),
        ("x", "expected '='", (1, 2)),
        ("x =", "expected a value", (1, 4)),
        ("x = \ny = 1", "expected a value", (1, 5)),
        ("x = 1 = 2", "expected the end of the line", (1, 7)),
        ("[run] x = 1", "expected the end of the line", (1, 7)),
        ("a = 1\nx = [1, 2\ny = 3", "expected ',' or ']'", (3, 1)),
        ("a = 1\nx = [1, 2", "'[' is not closed", (2, 5)),
        ("x = {a = 1", "'{' is not closed", (1, 5)),
        ("x = {a = 1 b = 2}", "expected ',' or '}'", (1, 12)),
        ('x = "abc\ny = 1', "a string that is not closed", (1, 5)),
        ('x = """abc\ny = 1', "a string that is not closed", (1, 5)),
        ("x = '''abc", "a string that is not closed", (1, 5)),
        ('"""k""" = 1', "a key cannot be a multi-line string", (1, 8)),
        ('"\\q" = 1', "a key with an escape that TOML does not know", (1, 5)),
        ("a = 1\n\n a = 2", "'a' is given twice, first in line 1", (3, 2)),
        ("a.b = 1\na = 2", "'a' is given twice, first in line 1", (2, 1)),
        ("x = {a = 1, a = 2}", "'x.a' is given twice, first in line 1", (1, 13)),
        ("[a]\n[b]\n[a]", "'a' is given twice, first in line 1", (3, 2)),
        ("[[s]]\n[s.t]\n[s.t]", "'s.0.t' is given twice, first in line 2", (3, 4)),
        (".".join("a" * 33) + " = 1", "nested more than 32 deep", (1, 65)),
        ("x = " + "[" * 40 + "]" * 40, "nested more than 32 deep", (1, 37)),
        ("[" + ".".join("a" * 30) + "]\nb.c.d = 1", "nested more than 32 deep", (2, 5)),
        ("x = [" + "0," * 60_000 + "]", "more than 50000 keys and array elements", (1, 100_004)),
        ("k" * 1025 + " = 1", "a key path of more than 1024 characters", (1, 1)),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_cannot_be_toml_is_refused_with_its_place(text, message, place):
    with pytest.raises(LocateError) as caught:
        locate(text)
    assert (caught.value.message, (caught.value.line, caught.value.column)) == (message, place)


def test_a_long_dotted_key_is_refused_at_once():
    with pytest.raises(LocateError, match="nested more than 32 deep"):
        locate(".".join("a" * 20_000) + " = 1")


NAMES = st.sampled_from(
    ["a", "b", "a-b", "1", "0", "x y", "é", "", "a.b", 'q"q', "q'q", "#", "=", "[", "\\", "\t"]
)
SCALARS = st.one_of(
    st.integers(-5, 5),
    st.booleans(),
    st.sampled_from([0.5, 1e20]),
    st.sampled_from(["", "x", "a # b", "[x]", "two\nlines", 'q"', "q'", "'''", '"""', "\\", "é = 1"]),
)
LEAVES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=4)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, max_size=3),
        st.lists(st.dictionaries(NAMES, inner, max_size=3), max_size=3),
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)


class Writer:
    """Writes a document in one of the many ways that TOML allows, chosen by hypothesis."""

    def __init__(self, draw):
        self.draw = draw
        self.lines = []

    def pick(self, *choices):
        return self.draw(st.sampled_from(choices))

    def key(self, name):
        plain = re.fullmatch(r"[A-Za-z0-9_-]+", name)
        literal = "'" not in name and "\t" not in name
        return self.pick(json.dumps(name), *([name] if plain else []), *([f"'{name}'"] if literal else []))

    def scalar(self, value):
        if not isinstance(value, str):
            return str(value).lower()
        quoted = [json.dumps(value, ensure_ascii=self.draw(st.booleans()))]
        if "\n" not in value and "'" not in value:
            quoted.append(f"'{value}'")
        if "'''" not in value and not value.endswith("'"):
            quoted.append(f"'''{value}'''")
        if '"""' not in value and not value.endswith('"') and "\\" not in value:
            quoted.append(f'"""{value}"""')
        return self.pick(*quoted)

    def inline(self, value):
        space = self.pick("", " ")
        if isinstance(value, dict):
            return (
                "{" + space + ", ".join(f"{self.key(k)} = {self.inline(v)}" for k, v in value.items()) + "}"
            )
        if isinstance(value, list):
            between = self.pick(",", ", ", ",\n  # c\n")
            return "[" + space + between.join(map(self.inline, value)) + self.pick("", "\n") + "]"
        return self.scalar(value)

    def table(self, table, header=()):
        later = []
        for name, value in table.items():
            form = self.form(value)
            if form == "inline":
                self.lines.append(
                    f"{self.pick('', '  ')}{self.key(name)}{self.pick('=', ' = ')}{self.inline(value)}"
                )
            elif form == "dotted":
                inner, item = next(iter(value.items()))
                self.lines.append(
                    f"{self.key(name)}{self.pick('.', ' . ')}{self.key(inner)} = {self.inline(item)}"
                )
            else:
                later.append((name, value, form))
            self.lines += self.pick([], [""], ["# a = [ '"])
        for name, value, form in later:
            path = (*header, name)
            title = self.pick(".", " . ").join(map(self.key, path))
            for entry in value if form == "entries" else [value]:
                self.lines.append(f"[[{title}]] # c" if form == "entries" else f"[{title}]")
                self.table(entry, path)

    def form(self, value):
        if isinstance(value, dict):
            return self.pick("inline", "header", *(["dotted"] if len(value) == 1 else []))
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            return self.pick("inline", "entries")
        return "inline"


@settings(deadline=None)
@given(document=DOCUMENTS, data=st.data())
def test_every_key_of_any_document_is_found_where_it_stands(document, data):
    writer = Writer(data.draw)
    writer.table(document)
    text = "\n".join(writer.lines)
    assert tomllib.loads(text) == document
    check(text)


@settings(deadline=None)
@given(st.text(alphabet="ab.=[]{}'\"\\#,\n\r 1-", max_size=40))
def test_whatever_is_toml_is_located_and_nothing_else_raises(text):
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with contextlib.suppress(LocateError):
            locate(text)
        return
    assert locate(text).keys() == {dotted(path) for path in paths(data)}
