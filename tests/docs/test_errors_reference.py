"""Every error, exit code and code of a failure has its place in the reference, and nothing else has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gepa_framework import errors
from gepa_framework.errors import ExitCode, GepaError
from gepa_framework.types.rollout import FailureKind

ROOT = Path(__file__).resolve().parents[2]
HOMES = sorted(path.parent for path in ROOT.glob("*/*/pyproject.toml"))
SOURCES = sorted((ROOT / "src/gepa_framework").rglob("*.py"))
#: What the command line answers with where nothing was raised on purpose.
OF_THE_COMMAND_LINE = {"gepa_usage_error": ExitCode.USAGE, "gepa_internal_error": ExitCode.BUG}


def tree(cls):
    """Give a class and everything below it."""
    return [cls, *(below for child in cls.__subclasses__() for below in tree(child))]


ERRORS = [cls for cls in tree(GepaError) if cls.__module__ == errors.__name__]


def sections(text):
    """Give what stands below each heading whose name is code."""
    parts = re.split(r"^#{2,3} (?:\d+: )?`(.*)`$", text, flags=re.MULTILINE)
    bodies = [re.split(r"^#", body, flags=re.MULTILINE)[0] for body in parts[2::2]]
    return dict(zip(parts[1::2], bodies, strict=True))


def link(code):
    """Give the link to an exit code."""
    return f"[exit code {int(code)}](exit-codes.md#{int(code)}-{code.name.lower()})"


@pytest.fixture
def error_sections(page_text):
    return sections(page_text("reference/errors.md"))


def test_every_error_code_has_its_heading_and_no_other(error_sections):
    assert list(error_sections) == [*(cls.error_code for cls in ERRORS), *OF_THE_COMMAND_LINE]


def test_the_error_codes_of_the_command_line_are_all_there_are():
    text = (ROOT / "src/gepa_framework/cli/failures.py").read_text(encoding="utf-8")
    assert set(re.findall(r'"(gepa_\w+)"', text)) == set(OF_THE_COMMAND_LINE)


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.error_code)
def test_an_error_says_class_exit_code_meaning_and_cure(cls, error_sections):
    who, meaning, cure = error_sections[cls.error_code].strip().split("\n\n")
    assert who == f"`{cls.__name__}`, a `{cls.__base__.__name__}`; {link(cls.exit_code)}."
    assert meaning == " ".join(cls.__doc__.split("\n\n")[0].split())
    assert re.fullmatch(r"What to do: \S.*[.`]", cure, flags=re.DOTALL)


@pytest.mark.parametrize("code", OF_THE_COMMAND_LINE)
def test_an_error_of_the_command_line_says_its_exit_code_and_cure(code, error_sections):
    text = error_sections[code]
    assert link(OF_THE_COMMAND_LINE[code]) in text
    assert "What to do: " in text


@pytest.mark.parametrize("home", HOMES, ids=lambda path: path.name)
def test_an_error_code_of_a_first_party_plugin_is_on_its_page(home, page_text):
    sources = "".join(path.read_text(encoding="utf-8") for path in home.glob("src/**/*.py"))
    text = page_text(f"plugins/{home.name}.md")
    assert not [code for code in re.findall(r'error_code = "(\w+)"', sources) if f"`{code}`" not in text]


def test_every_exit_code_has_its_heading_and_row(page_text, rows_of):
    text = page_text("reference/exit-codes.md")
    assert [row[:2] for row in rows_of(text)] == [(str(int(code)), code.name) for code in ExitCode]
    headings = re.findall(r"^## (\d+): `(\w+)`$", text, flags=re.MULTILINE)
    assert headings == [(str(int(code)), code.name) for code in ExitCode]


@pytest.mark.parametrize("code", ExitCode, ids=lambda code: code.name)
def test_an_exit_code_names_its_errors_and_a_cure(code, page_text):
    text = sections(page_text("reference/exit-codes.md"))[code.name]
    named = re.findall(r"\[`(gepa_\w+)`\]\(errors\.md#\1\)", text)
    theirs = [cls.error_code for cls in ERRORS if cls.exit_code is code]
    assert named == [*theirs, *(name for name, other in OF_THE_COMMAND_LINE.items() if other is code)]
    assert "* What to do: " in text


def test_every_kind_of_failed_rollout_has_its_row(page_text, rows_of):
    kinds, _ = tables(page_text("reference/errors.md"), rows_of)
    assert set(kinds) == set(FailureKind)


def test_every_code_of_a_failure_has_its_row(page_text, rows_of):
    _, codes = tables(page_text("reference/errors.md"), rows_of)
    assert set(codes) == codes_in_the_sources()


def tables(text, rows_of):
    """Give the kinds of failures and the codes that the page tells of."""
    section = text.partition("## Failures of rollouts\n")[2]
    kinds, _, codes = section.partition("| Code | When |")
    return [row[0] for row in rows_of(kinds)], [row[0] for row in rows_of(f"| Code | When |{codes}")]


def codes_in_the_sources():
    """Give each code that the framework itself gives a failed rollout or proposal."""
    found = set()
    for path in SOURCES:
        if "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found |= set(_codes(node))
    # The first is known by a variable alone, the second to the scheduler alone: it is on no record.
    return (found | {"invalid_proposal"}) - {"not_needed"}


def _codes(call):
    position = {"RolloutFailure": 1, "ProposalFailure": 0, "_failed": 3}.get(call.func.id)
    given = () if position is None else call.args[position : position + 1]
    yield from (arg.value for arg in given if isinstance(arg, ast.Constant))
