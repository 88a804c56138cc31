"""What a release goes by: configuration, workflows, changelog."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PYTHONS = ("cp311", "cp312", "cp313", "cp314")
LINUX = {
    f"{python}-{libc}_{processor}"
    for python in PYTHONS
    for libc in ("manylinux", "musllinux")
    for processor in ("x86_64", "aarch64")
}


def run(*command, cwd=ROOT):
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def wheels(*options):
    return set(run("cibuildwheel", "--print-build-identifiers", *options).split())


def test_the_wheels_that_will_be_built_are_those_of_every_supported_python():
    assert wheels("--platform", "linux", "--archs", "x86_64,aarch64") == LINUX
    assert wheels("--platform", "macos") == {f"{python}-macosx_arm64" for python in PYTHONS}


def test_a_machine_builds_for_itself_alone():
    here = {each for each in LINUX if each.endswith(platform.machine())}
    assert wheels("--platform", "linux") == here


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_workflows_are_such_and_every_job_has_a_limit(schema):
    assert {path.name for path in WORKFLOWS} == {"ci.yml", "release.yml"}
    run("check_jsonschema", "--builtin-schema", schema, *map(str, WORKFLOWS))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_to_a_version(path):
    used = re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))
    assert used
    assert not [each for each in used if not re.fullmatch(r"[\w/-]+@(v\d+(\.\d+){0,2}|[0-9a-f]{40})", each)]


def test_only_the_job_that_publishes_may_prove_who_it_is():
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert text.count(": write") == text.count("id-token: write") == 1
    _, _, publish = text.partition("\n  publish:\n")
    assert "id-token: write" in publish
    assert "github.ref_type == 'tag'" in publish


def test_continuous_integration_runs_what_the_repository_says_on_every_python():
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert "run: .ci/run\n" in text
    assert re.findall(r'"(3\.\d+)"', text) == [f"3.{python[3:]}" for python in PYTHONS]


def test_the_changelog_can_be_made_of_the_fragments():
    told = run("towncrier", "build", "--draft")
    assert f"## {version('gepa-framework')} (" in told
    for path in (ROOT / "docs/changelog.d").glob("*.feature*.md"):
        first = path.read_text(encoding="utf-8").split(".")[0].strip()
        assert " ".join(first.split()) in " ".join(told.split()), path.name
