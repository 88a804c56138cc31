"""Wheels at work: installed where neither this repository nor a compiler is, and used as the pages say."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import tomllib

import pytest
from tests.docs.conftest import BLOCKS, COOKBOOK, PIP, Sandbox, used

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Pages which tell somebody who has only installed the packages what to do.
PAGES = ["README.md", "docs/tutorial/first-run.md", "docs/tutorial/first-stopper.md"]
SCRIPTS = {"pip": PIP, "pytest": '#!/bin/sh\nexec "{python}" -m pytest "$@"\n'}
PATHS = """
import json, sys
import gepa_framework.cli.main
print(json.dumps([sys.path, list(map(repr, sys.meta_path))]))
"""
WHERE = """
import json
from importlib.metadata import distribution
from pathlib import Path
import {package}
print(json.dumps([{package}.__file__, {package}.__version__, distribution("{name}").version,
                  str(distribution("{name}").locate_file(""))]))
"""


def test_a_member_comes_from_its_wheel_and_agrees_on_its_version(member, installed):
    code = WHERE.format(package=member.package, name=member.name)
    file, version, recorded, site = json.loads(installed.run("python", "-c", code))
    assert file.startswith(f"{installed.home / 'venv'}/")
    assert site.startswith(f"{installed.home / 'venv'}/")
    assert version == recorded


def test_the_source_tree_is_out_of_sight(installed, root):
    paths, finders = json.loads(installed.run("python", "-c", PATHS))
    assert not [path for path in paths if path.startswith(f"{root}/")]
    assert not [finder for finder in finders if "editable" in finder.lower()]


def test_nothing_of_ours_is_needed_to_install_but_the_wheels(installed):
    assert not shutil.which("cc", path=str(installed.scripts))
    assert not shutil.which("cmake", path=str(installed.scripts))


def test_command_and_metadata_agree_on_the_version(installed):
    code = "from importlib.metadata import version; print('gepa-framework', version('gepa-framework'))"
    assert installed.run("gepa", "--version") == installed.run("python", "-c", code)


def test_commands_start(member, installed):
    for script in member.project.get("scripts", {}):
        assert "Usage" in installed.run(script, "--help").capitalize()


def test_every_entry_point_of_a_wheel_can_be_used(member, installed):
    code = f"""
from importlib.metadata import distribution
for point in distribution("{member.name}").entry_points:
    point.load()
    print(point.group, point.name)
"""
    told = {tuple(line.split()) for line in installed.run("python", "-c", code).splitlines()}
    groups = {**member.project["entry-points"], "console_scripts": member.project.get("scripts", {})}
    assert told == {(group, name) for group, points in groups.items() for name in points}


def test_the_plugins_that_are_listed_are_those_of_the_wheels(installed, members):
    told = json.loads(installed.run("gepa", "plugins", "list", "--json"))
    assert {each["distribution"] for each in told["plugins"]} == {member.name for member in members}


def test_the_smoke_tests_pass_as_they_are_run_before_a_release(installed, archive, framework, root):
    config = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["cibuildwheel"]
    with tarfile.open(archive(framework, ".tar.gz")) as packed:
        packed.extractall(installed.home / "sdist", filter="data")
    (package,) = (installed.home / "sdist").iterdir()
    command = config["test-command"].format(package=package).split()
    told = installed.run(*command, "-p", "no:cacheprovider", "-p", "no:xdist")
    assert re.search(r"\d+ passed", told)
    assert "failed" not in told


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_followed_with_the_wheels(page, install, tmp_path, root):
    environment = install(tmp_path)
    for name, text in SCRIPTS.items():
        script = environment.scripts / name
        script.write_text(text.format(python=environment.scripts / "python"))
        script.chmod(0o755)
    work = tmp_path / "work"
    shutil.copytree(root / COOKBOOK, work / COOKBOOK, ignore=shutil.ignore_patterns("src", "tests", "runs"))
    sandbox = Sandbox(tmp_path, work)
    blocks = [block for block in BLOCKS if block.page == page and used(block)]
    assert blocks
    for block in blocks:
        sandbox.follow(block)
