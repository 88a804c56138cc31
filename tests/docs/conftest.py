"""The documentation under test: its blocks, and an environment in which they are used as a reader would.

A comment before a block says how it is meant:

* ``<!-- file: NAME -->``: the block is this file.
* ``<!-- not run: REASON -->``: the commands are not run here.
* ``<!-- exit: N -->``: the commands end with this exit code instead of 0.
* ``<!-- invalid: MESSAGE -->``: the configuration is refused with a problem that says this.
* ``<!-- source: NAME NAME … -->``: the block is the source of these public names, byte for byte.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from gepa_framework import GepaRun
from gepa_framework.types import Kind

ROOT = Path(__file__).resolve().parents[2]
COOKBOOK = Path("cookbooks/gepa-cookbook-banking77")
MARKS = frozenset({"file", "not run", "exit", "invalid", "source"})

_MARK = re.compile(r"<!-- ([a-z ]+): (.*) -->")
_FENCE = re.compile(r"(`{3,})\s*([^`\s]*)$")
#: Neither asks an index nor builds apart: what the packages need to be built is installed.
PIP = """#!/bin/sh
command=$1; shift
exec "{python}" -m pip "$command" --quiet --disable-pip-version-check --no-build-isolation --no-index "$@"
"""
_RULE = re.compile(r"[|: -]+")
_SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@attrs.frozen
class Block:
    """A fenced block.

    Attributes:
        page: Its page, relative to the repository.
        line: Where it begins.
        language: What stands behind the fence.
        text: What is in it.
        marks: The comments before it.
    """

    page: str
    line: int
    language: str
    text: str
    marks: Mapping[str, str]

    def __str__(self):
        return f"{self.page}:{self.line}"


def blocks_of(path: Path) -> Iterator[Block]:
    """Give the blocks of a page in their order."""
    page, marks = str(path.relative_to(ROOT)), {}
    lines = iter(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        mark, fence = _MARK.fullmatch(line), _FENCE.match(line)
        if mark:
            assert mark[1] in MARKS, f"{page}:{number}: unknown mark {mark[1]!r}"
            marks[mark[1]] = mark[2]
        elif fence:
            inside = []
            for _, text in lines:
                if text == fence[1]:
                    break
                inside.append(text)
            yield Block(page, number, fence[2], "".join(f"{text}\n" for text in inside), marks)
            marks = {}
        elif line.strip():
            assert not marks, f"{page}:{number}: {marks} stand before no block"


def pages() -> list[Path]:
    """Give every page that readers see."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return sorted(path for path in found if not {"_build", "changelog.d"} & set(path.parts))


ALL_PAGES = pages()
BLOCKS = [block for path in ALL_PAGES for block in blocks_of(path)]


def used(block: Block) -> bool:
    """Tell whether a block does something when its page is followed."""
    acts = block.language in ("console", "python") or "file" in block.marks
    return acts and not {"not run", "source"} & set(block.marks)


def pytest_generate_tests(metafunc):
    """Give each test the blocks or pages that it asks for by the name of its argument."""
    sessions = sorted({block.page for block in BLOCKS if used(block)})
    wanted = {
        "any_block": BLOCKS,
        "toml_block": [each for each in BLOCKS if each.language == "toml"],
        "sql_block": [each for each in BLOCKS if each.language == "sql"],
        "sourced_block": [each for each in BLOCKS if "source" in each.marks],
        "page": sessions,
    }
    for name, values in wanted.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values, ids=str)


@attrs.define
class Sandbox:
    """A virtual environment of its own on top of the one that the tests run in, and a working directory.

    Attributes:
        home: Where everything is.
        cwd: Where the next command runs.
    """

    home: Path
    cwd: Path

    @property
    def environ(self) -> Mapping[str, str]:
        """What commands see."""
        kept = {
            name: value for name, value in os.environ.items() if not re.match("GEPA_|PYTEST|PYTHON", name)
        }
        path = f"{self.home / 'venv/bin'}{os.pathsep}{kept['PATH']}"
        return {**kept, "PATH": path, "HOME": str(self.home), "CI": "true", "COLUMNS": "100", "TERM": "dumb"}

    def run(self, command: str, *, given: str | None = None) -> tuple[int, str]:
        """Run one command line and give its exit code and everything that it wrote."""
        state = self.home / "cwd"
        script = f'{command}\ncode=$?\npwd > "{state}"\nexit $code'
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.cwd,
            env=self.environ,
            input=given,
            stdin=None if given is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        self.cwd = Path(state.read_text().strip())
        return done.returncode, done.stdout

    def follow(self, block: Block) -> None:
        """Do what a reader does with a block."""
        if "file" in block.marks:
            path = self.cwd / block.marks["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            code, said = self.run("python -", given=block.text)
            assert code == 0, f"{block}: exit code {code}\n{said}"
        else:
            for command, wanted in commands(block.text):
                self._check(block, command, wanted)

    def _check(self, block: Block, command: str, wanted: str) -> None:
        code, said = self.run(command)
        assert code == int(block.marks.get("exit", 0)), f"{block}: $ {command}\nexit code {code}\n{said}"
        same = not wanted or doctest.OutputChecker().check_output(wanted, said, _SAME)
        assert same, f"{block}: $ {command}\nexpected:\n{wanted}\ngot:\n{said}"


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Give each command of a console block with the output shown for it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = re.sub(r"\\\n(> )?\s*", "", part).partition("\n")
        yield command, output


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def sandbox(tmp_path):
    """Give a fresh environment; ``pip install`` in it changes nothing outside and asks no index."""
    scripts = tmp_path / "venv/bin"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(tmp_path / "venv")
    here = sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")})
    parent = sysconfig.get_path("purelib")
    Path(here, "parent.pth").write_text(f"import site; site.addsitedir({parent!r})\n")
    for name, module in {"gepa": "gepa_framework.cli", "pytest": "pytest"}.items():
        _script(scripts / name, f'#!/bin/sh\nexec "{scripts}/python" -m {module} "$@"\n')
    _script(scripts / "pip", PIP.format(python=scripts / "python"))
    work = tmp_path / "work"
    shutil.copytree(ROOT / COOKBOOK, work / COOKBOOK, ignore=shutil.ignore_patterns("src", "tests", "runs"))
    return Sandbox(tmp_path, work)


_SKILLS = """
from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer, FakeTransport
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.{kind}, "skills", ">=1.0,<2")


@hookimpl
def gepa_make_{hook}():
    return Fake{made}()
"""
_SKILLS_RUN = """
[run]
run_id = "skills"
[container]
transport = "skills"
[dataset]
train_seeds = "0-19"
heldout_seeds = "100-109"
[proposer]
backend = "skills"
[gepa]
max_total_rollouts = 300
"""


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """Give the result of a run whose transport and proposer come from a package that is made here."""
    home = tmp_path_factory.mktemp("skills")
    points = ""
    for kind in (Kind.TRANSPORT, Kind.PROPOSER):
        module = f"skills_{kind}"
        text = _SKILLS.format(kind=kind.name, hook=kind, made=kind.capitalize())
        (home / f"{module}.py").write_text(text)
        points += f"[{kind.group}]\nskills = {module}\n"
    info = home / "skills-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: skills\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)
    (home / "gepa.toml").write_text(_SKILLS_RUN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(home))
        return GepaRun.from_toml(home / "gepa.toml", environ={}).execute()


@pytest.fixture
def workspace(finished_run):
    """Give the workspace of that run, opened for reading."""
    database = sqlite3.connect(f"{finished_run.workspace_db_path.as_uri()}?mode=ro", uri=True)
    yield database
    database.close()


@pytest.fixture
def followed():
    """Give a function that tells which blocks of a page a reader acts on, in their order."""
    return lambda page: [block for block in BLOCKS if block.page == page and used(block)]


@pytest.fixture
def page_text():
    """Give a function that reads a page of ``docs/``."""
    return lambda name: (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.fixture
def all_pages():
    """Give the text of every page."""
    return [path.read_text(encoding="utf-8") for path in ALL_PAGES]


@pytest.fixture
def rows_of():
    """Give a function that reads the rows of all tables below a heading, code marks taken off."""

    def read(text: str, heading: str | None = None) -> list[tuple[str, ...]]:
        section = text if heading is None else _section(text, heading)
        lines = [line for line in section.splitlines() if line.startswith("|")]
        heads = {i - 1 for i, line in enumerate(lines) if _RULE.fullmatch(line)}
        body = [line for i, line in enumerate(lines) if i not in heads and i - 1 not in heads]
        return [tuple(cell.strip().strip("`") for cell in line.strip("| ").split(" | ")) for line in body]

    return read


def _section(text: str, heading: str) -> str:
    parts = re.split(r"^#+ +(.*)$", text, flags=re.MULTILINE)
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        if title.strip("`") == heading:
            return body
    raise AssertionError(f"there is no heading {heading!r}")


assert sys.prefix != sys.base_prefix, "the documentation is tested in a virtual environment: make test"
