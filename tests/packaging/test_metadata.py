"""What the distributions say of themselves, and whether they agree."""

from __future__ import annotations

import re
from email import message_from_bytes
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from gepa_framework.types.version import VERSION

PYTHONS = [f"3.{minor}" for minor in range(11, 15)]


def compatible():
    """Give what a member asks of the framework: this minor version, from its first release on."""
    major, minor = Version(VERSION).release[:2]
    return Requirement(f"gepa-framework>={major}.{minor},<{major}.{minor + 1}")


def test_a_description_is_complete(member):
    project = member.project
    assert project["readme"] == "README.md"
    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE"]
    assert project["requires-python"] == ">=3.11"
    assert project["keywords"]
    assert re.fullmatch(r"[A-Z].{20,120}\.", project["description"])


def test_classifiers_name_the_pythons_that_are_supported_and_that_types_are_there(member):
    classifiers = set(member.project["classifiers"])
    pythons = {each.rpartition(" ")[2] for each in classifiers if re.search(r":: 3\.\d+$", each)}
    assert pythons == set(PYTHONS)
    assert {"Typing :: Typed", "Operating System :: POSIX :: Linux"} <= classifiers


def test_a_member_asks_for_the_minor_version_of_the_framework_that_stands_beside_it(member, framework):
    wanted = [Requirement(text) for text in member.project["dependencies"]]
    asked = [each for each in wanted if each.name == "gepa-framework"]
    assert asked == ([] if member == framework else [compatible()])


def test_the_version_of_the_framework_stands_in_one_place(framework):
    assert framework.project["dynamic"] == ["version"]
    assert "version" not in framework.project


def test_licence_texts_are_the_same(member, root):
    assert (root / member.path / "LICENSE").read_bytes() == (root / "LICENSE").read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_wheel_says_what_the_description_says(member, framework, archive):
    path = archive(member, ".whl")
    with ZipFile(path) as wheel:
        (name,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(wheel.read(name))
        points = wheel.read(name.replace("METADATA", "entry_points.txt")).decode()
    version = VERSION if member == framework else member.project["version"]
    assert (metadata["Name"], metadata["Version"]) == (member.name, version)
    assert path.name.split("-")[1] == version
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().strip()
    assert set(metadata.get_all("Classifier")) == set(member.project["classifiers"])
    declared = {f"{name} = {target}" for name, target in every_entry_point(member.project)}
    assert {line for line in points.splitlines() if "=" in line} == declared


def every_entry_point(project):
    groups = [project.get("scripts", {}), *project.get("entry-points", {}).values()]
    return [pair for group in groups for pair in group.items()]
