from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from otlp_receiver import FakeCollector

TOY = Path(__file__).with_name("toy.py")
_CONFIG = """
[run]
run_id = "{run_id}"
seed = 3
[container]
transport = "toy"
[dataset]
train_seeds = "0-7"
heldout_seeds = "100-102"
[proposer]
backend = "toy"
[cache]
mode = "off"
[gepa]
minibatch_size = 3
max_generations = {generations}
max_total_rollouts = 400
{gepa}
[[listeners]]
use = "otel"
{listener}
"""


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def fake():
    collector = FakeCollector()
    yield collector
    collector.stop()


@attrs.frozen
class Project:
    """A directory with configurations, and the toy beside them."""

    path: Path

    def write(self, run_id="r1", gepa="", generations=6, **listener):
        table = "\n".join(f"{key} = {_toml(value)}" for key, value in listener.items())
        config = self.path / f"{run_id}.toml"
        config.write_text(_CONFIG.format(run_id=run_id, gepa=gepa, generations=generations, listener=table))
        return config

    def gepa(self, *arguments, **environ):
        settings = {"PYTHONPATH": str(self.path / "site"), "PYTHONDONTWRITEBYTECODE": "1", **environ}
        return subprocess.run(
            [sys.executable, "-m", "gepa_framework.cli", *map(str, arguments)],
            cwd=self.path,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    def run(self, config, **environ):
        return self.gepa("run", "--config", config, "--display", "none", **environ)

    def resume(self, run_id="r1", **environ):
        return self.gepa("resume", self.path / "runs" / run_id, "--display", "none", **environ)

    def query(self, sql, run_id="r1"):
        with sqlite3.connect(self.path / "runs" / run_id / "workspace.sqlite") as database:
            rows = database.execute(sql).fetchall()
        database.close()
        return rows

    def effects(self, run_id="r1"):
        rows = self.query("SELECT effect_id FROM inputs WHERE effect_id IS NOT NULL", run_id)
        return sorted(name for (name,) in rows)

    def events(self, *types, run_id="r1"):
        lines = (self.path / "runs" / run_id / "events.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["type"] in types]


def _toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


@pytest.fixture
def project(tmp_path):
    return _project(tmp_path)


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """Give a run that is over, and what came of it over the wire; to be looked at alone."""
    project, fake = _project(tmp_path_factory.mktemp("traced")), FakeCollector()
    try:
        done = project.run(project.write(endpoint=fake.url, service_name="toy"))
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        fake.stop()
    return project, fake


def _project(tmp_path):
    site = tmp_path / "site"
    info = site / "otel_toy-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: otel-toy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[gepa_framework.transports]\ntoy = otel_toy\n[gepa_framework.proposers]\ntoy = otel_toy:proposer\n"
    )
    (site / "otel_toy.py").write_text(TOY.read_text())
    return Project(tmp_path)


@pytest.fixture
def here(project, monkeypatch):
    """Have the toy be found in this process too."""
    monkeypatch.syspath_prepend(project.path / "site")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield project
    sys.modules.pop("otel_toy", None)
