"""The script that builds a release, on a little repository."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = [pytest.mark.timeout(180)]

SCRIPT = Path(__file__).resolve().parents[2] / ".ci/dist.py"
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.2"
description = "A distribution to try things with."
readme = "README.md"
requires-python = ">=3.11"
{urls}

[tool.hatch.build.targets.wheel]
packages = ["src/{name}"]
"""
URLS = '[project.urls]\nSource = "https://example.org/source"'


@pytest.fixture
def dist(tmp_path, monkeypatch):
    """Give the script as a module, at home in a repository with `alpha` and, a plugin of it, `beta`."""
    spec = importlib.util.spec_from_file_location("dist_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    repository = tmp_path / "repository"
    _write(repository, "alpha", URLS)
    _write(repository / "plugins/beta", "beta", "")
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "somebody")
        monkeypatch.setenv(f"{name}_EMAIL", "somebody@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setattr(module, "ROOT", repository)
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        git(repository, *command)
    return module


def _write(place, name, urls):
    package = place / "src" / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("COMMITTED = True\n")
    (place / "README.md").write_text(f"# {name}\n")
    (place / "pyproject.toml").write_text(PROJECT.format(name=name, urls=urls))


def git(repository, *command):
    subprocess.run(["git", *command], cwd=repository, check=True, capture_output=True, timeout=60)


def build(dist, out, *options):
    dist.main([*options, "--no-isolation", "--out", str(out)])
    return {path.name for path in out.iterdir()}


def test_only_what_is_committed_is_built(dist, tmp_path):
    package = dist.ROOT / "src/alpha"
    (package / "untracked.py").write_text("")
    (package / "__init__.py").write_text("COMMITTED = False\n")
    assert build(dist, tmp_path / "out", "alpha") == {"alpha-1.2-py3-none-any.whl", "alpha-1.2.tar.gz"}
    with ZipFile(tmp_path / "out/alpha-1.2-py3-none-any.whl") as wheel:
        assert wheel.read("alpha/__init__.py") == b"COMMITTED = True\n"
        assert "alpha/untracked.py" not in wheel.namelist()
    with tarfile.open(tmp_path / "out/alpha-1.2.tar.gz") as archive:
        assert "alpha-1.2/src/alpha/untracked.py" not in archive.getnames()


def test_a_tag_builds_what_it_names_and_each_time_the_same_to_the_byte(dist, tmp_path):
    git(dist.ROOT, "tag", "alpha-v1.2")
    names = build(dist, tmp_path / "one", "--tag", "alpha-v1.2")
    assert names == {"alpha-1.2-py3-none-any.whl", "alpha-1.2.tar.gz"}
    assert build(dist, tmp_path / "two", "alpha") == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(
    ("tag", "complaint"),
    [
        ("alpha-v1.3", "is of version 1.2, the tag of 1.3"),
        ("beta-v1.2", r"\[project.urls\] is empty"),
        ("gamma-v1.2", "names none of alpha, beta"),
        ("v1.2", "names none of alpha, beta"),
    ],
)
def test_a_tag_that_would_be_regretted_is_refused(dist, tmp_path, tag, complaint):
    git(dist.ROOT, "tag", tag)
    with pytest.raises(SystemExit, match=complaint):
        build(dist, tmp_path / "out", "--tag", tag)


def test_a_name_that_there_is_not_is_answered_with_those_there_are(dist, tmp_path):
    with pytest.raises(SystemExit, match="no such distribution: gamma; there are alpha, beta"):
        build(dist, tmp_path / "out", "gamma")


def test_leavings_are_not_taken_for_built(dist, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/alpha-1.1.tar.gz").write_bytes(b"")
    with pytest.raises(SystemExit, match="is not empty"):
        build(dist, tmp_path / "out", "alpha")


def test_a_readme_that_an_index_could_not_show_is_refused(dist, tmp_path):
    project = dist.ROOT / "pyproject.toml"
    project.write_text(project.read_text().replace('readme = "README.md"', ""))
    git(dist.ROOT, "commit", "--all", "--quiet", "--message", "no readme")
    with pytest.raises(subprocess.CalledProcessError):
        build(dist, tmp_path / "out", "alpha")


def test_a_description_that_is_none_is_refused(dist, tmp_path, capfd):
    with (dist.ROOT / "pyproject.toml").open("a") as project:
        project.write('[dependency-groups]\ntest = "pytest"\n')
    git(dist.ROOT, "commit", "--all", "--quiet", "--message", "a group that is no list")
    with pytest.raises(subprocess.CalledProcessError):
        build(dist, tmp_path / "out", "alpha")
    assert "dependency-groups.test" in "".join(capfd.readouterr())


assert sys.prefix != sys.base_prefix, "packages are built in a virtual environment: make test"
