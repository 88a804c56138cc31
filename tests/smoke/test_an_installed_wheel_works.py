"""A wheel at work: run against each wheel where it was built, before it is published.

This file is in the source distribution and needs nothing else of the repository. What it exercises is what a
wheel could lack: the compiled core, the data files, the entry points, the command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import tomllib
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

import gepa_framework
from gepa_framework import _core

pytestmark = pytest.mark.timeout(180)

DISTRIBUTION = "gepa-framework"
PACKAGE = Path(gepa_framework.__file__).parent
PLUGIN = """
from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer, FakeTransport
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.{kind}, "skills", ">=1.0,<2")


@hookimpl
def gepa_make_{hook}():
    return Fake{made}()
"""
CONFIG = """
[run]
run_id = "smoke"
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


@pytest.fixture
def gepa(tmp_path):
    """Give a function that runs the installed command where a task and a proposer are at hand."""
    site = tmp_path / "site"
    info = site / "skills-1.0.dist-info"
    info.mkdir(parents=True)
    points = ""
    for kind in ("transport", "proposer"):
        text = PLUGIN.format(kind=kind.upper(), hook=kind, made=kind.capitalize())
        (site / f"skills_{kind}.py").write_text(text)
        points += f"[gepa_framework.{kind}s]\nskills = skills_{kind}\n"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: skills\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)
    (tmp_path / "gepa.toml").write_text(CONFIG)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GEPA_", "PYTEST"))}
    environ = {**kept, "PYTHONPATH": str(site), "CI": "true", "COLUMNS": "100", "TERM": "dumb"}

    def run(*args):
        done = subprocess.run(
            [Path(sysconfig.get_path("scripts"), "gepa"), *args],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


def test_the_core_is_compiled_and_typed():
    assert _core.__file__.endswith(tuple(EXTENSION_SUFFIXES))
    assert (PACKAGE / "_core.pyi").is_file()
    assert (PACKAGE / "py.typed").is_file()


def test_command_package_and_metadata_agree_on_the_version(gepa):
    found = version(DISTRIBUTION)
    assert gepa_framework.__version__ == found
    assert gepa("--version").split() == [DISTRIBUTION, found]


def test_a_run_is_made_proved_and_reported(gepa, tmp_path):
    assert "heldout: seed" in gepa("run", "--config", "gepa.toml")
    gepa("verify", "runs/smoke")
    gepa("workspace", "check", "runs/smoke")
    gepa("report", "runs/smoke", "--html", "report.html")
    assert "<svg" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_what_is_written_from_data_files_is_there(gepa, tmp_path):
    gepa("plugin", "new", "stopper", "calm")
    written = (tmp_path / "gepa-stopper-calm/pyproject.toml").read_text(encoding="utf-8")
    assert "calm" in tomllib.loads(written)["project"]["entry-points"]["gepa_framework.stoppers"]
    gepa("schema", "--output", "gepa.schema.json")
    assert json.loads((tmp_path / "gepa.schema.json").read_text(encoding="utf-8"))["$schema"]


def test_every_plugin_that_ships_inside_can_be_used(gepa):
    points = [each for each in distribution(DISTRIBUTION).entry_points if each.group.startswith("gepa_")]
    names = [f"{each.group.partition('.')[2].removesuffix('s')}:{each.name}" for each in points]
    told = json.loads(gepa("plugins", "check", "--json", *names))
    assert told["ok"]
    assert sorted(f"{each['kind']}:{each['name']}" for each in told["plugins"]) == sorted(names)
