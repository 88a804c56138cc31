"""Archives hold what they should, and nothing else."""

from __future__ import annotations

import sysconfig
import tarfile
import tomllib
from pathlib import PurePosixPath
from zipfile import ZipFile

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

INFO = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
#: What the root distribution's sources consist of.
ROOT_FILES = {"CHANGELOG.md", "CMakeLists.txt", "LICENSE", "README.md", "pyproject.toml"}
ROOT_FOLDERS = ("cpp/", "src/", "tests/smoke/")
#: Nothing of these has a place in a package.
FOREIGN = {".a", ".c", ".cpp", ".db", ".h", ".hpp", ".log", ".o", ".pyc", ".pyd", ".sqlite", ".whl"}
FOLDERS = {"tests", "__pycache__"}


def is_framework(member):
    return str(member.path) == "."


def in_wheel(path):
    with ZipFile(path) as wheel:
        assert wheel.testzip() is None
        return {name for name in wheel.namelist() if not name.endswith("/")}


def in_sdist(path):
    with tarfile.open(path) as archive:
        assert not [entry.name for entry in archive if not (entry.isfile() or entry.isdir())]
        names = [PurePosixPath(entry.name) for entry in archive if entry.isfile()]
    assert {name.parts[0] for name in names} == {path.name.removesuffix(".tar.gz")}
    return {"/".join(name.parts[1:]) for name in names}


def test_a_wheel_holds_the_package_as_it_is_in_the_tree_and_its_metadata(member, archive, tracked):
    path = archive(member, ".whl")
    name, version = path.name.split("-")[:2]
    wanted = {f"{member.package}/{file}" for file in tracked(member.path / "src" / member.package)}
    wanted |= {f"{name}-{version}.dist-info/{file}" for file in INFO}
    if is_framework(member):
        wanted.add(f"{member.package}/_core{sysconfig.get_config_var('EXT_SUFFIX')}")
    assert in_wheel(path) == wanted


def test_a_wheel_holds_no_tests_no_sources_of_the_core_and_no_leavings(member, archive):
    paths = [PurePosixPath(name) for name in in_wheel(archive(member, ".whl"))]
    assert not [path for path in paths if path.suffix in FOREIGN or FOLDERS & set(path.parts)]
    compiled = [path for path in paths if path.suffix == ".so"]
    assert len(compiled) == is_framework(member)


def test_a_wheel_says_that_it_is_typed(member, archive):
    assert f"{member.package}/py.typed" in in_wheel(archive(member, ".whl"))


def test_what_the_framework_reads_at_run_time_is_in_its_wheel(framework, archive):
    names = in_wheel(archive(framework, ".whl"))
    for wanted in (
        "_core.pyi",
        "gepa.schema.json",
        "scaffold/templates/common/pyproject.toml.txt",
        "workspace/migrations/script.py.mako",
        "workspace/migrations/versions/0001_journal.py",
        "workspace/schema.sql",
    ):
        assert f"gepa_framework/{wanted}" in names


def test_a_source_distribution_holds_what_is_needed_to_build_and_nothing_else(member, archive, tracked):
    names = in_sdist(archive(member, ".tar.gz"))
    wanted = tracked(member.path)
    if is_framework(member):
        wanted = {name for name in wanted if name in ROOT_FILES or name.startswith(ROOT_FOLDERS)}
    else:
        names.discard(".gitignore")  # hatchling packs the one that it obeys
    assert names == wanted | {"PKG-INFO"}


def test_what_is_compiled_is_in_the_source_distribution_to_the_byte(framework, archive, tracked, released):
    path = archive(framework, ".tar.gz")
    stem = path.name.removesuffix(".tar.gz")
    with tarfile.open(path) as packed:
        for name in {f"cpp/{file}" for file in tracked("cpp")} | {"CMakeLists.txt", "pyproject.toml"}:
            assert packed.extractfile(f"{stem}/{name}").read() == (released / "tree" / name).read_bytes()


def test_the_packed_pyproject_is_the_one_of_the_tree(member, archive, released):
    path = archive(member, ".tar.gz")
    with tarfile.open(path) as packed:
        text = packed.extractfile(f"{path.name.removesuffix('.tar.gz')}/pyproject.toml").read().decode()
    assert tomllib.loads(text)["project"] == member.project


def test_a_wheel_is_for_this_python_alone_if_it_is_compiled_and_for_any_if_not(member, archive):
    python = f"cp{sysconfig.get_config_var('py_version_nodot')}"
    tags = archive(member, ".whl").stem.split("-")[2:]
    assert tags[:2] == [python, python] if is_framework(member) else tags == ["py3", "none", "any"]
