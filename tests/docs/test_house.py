"""What holds for the documentation as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = sorted(ROOT.glob("docs/adr/0*.md"))


@pytest.mark.timeout(180)
def test_the_documentation_builds_without_a_warning(tmp_path):
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "-n",
        "-q",
        "-d",
        tmp_path / "cache",
        ROOT / "docs",
        tmp_path,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_four_parts(decision):
    parts = re.findall(r"^## (.*)$", decision.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert parts == ["Context", "Options", "Decision", "Consequences"]


def test_decisions_are_numbered_without_gaps():
    assert [page.stem[:4] for page in DECISIONS] == [f"{n:04}" for n in range(1, len(DECISIONS) + 1)]


def test_links_of_the_root_pages_lead_somewhere():
    for page in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{page.name}: {target}"


def test_a_changelog_fragment_is_named_by_issue_and_type():
    fragments = [path.name for path in ROOT.glob("docs/changelog.d/*") if path.name != ".gitignore"]
    pattern = re.compile(r"(\d+|\+[a-z0-9-]+)\.(feature|bugfix|doc|removal|misc)(\.\d+)?\.md")
    assert not [name for name in fragments if not pattern.fullmatch(name)]


def test_every_target_of_make_that_is_named_exists(all_pages):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    named = {name for page in all_pages for name in re.findall(r"`(?:[A-Z0-9_]+=\S+ )?make ([a-z-]+)`", page)}
    benchmarks = {f"bench-{path.stem}" for path in (ROOT / "benchmarks").glob("*.py")}
    assert {"bench-engine", "bench-workspace"} <= benchmarks
    assert named <= targets | benchmarks
