"""Scenarios of a distribution that a test makes, over a directory of its own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from gepa_framework import GepaRun

#: A task and a proposer without a world behind them, and what a test makes of them.
WORLD = """
import asyncio
import os
import sys
from pathlib import Path

import attrs

from gepa_framework.errors import TransportError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer, FakeTransport
from gepa_framework.types import *


@attrs.frozen
class Config:
    mood: str = "well"


class Skills(FakeTransport):
    def __init__(self, config, context):
        super().__init__()
        self.mood, self.context = config.mood, context

    def note(self, word):
        log = self.context.base_dir / "asked.log"
        if log.exists():
            log.write_text(f"{log.read_text()}{word} {self.context.run_id}\\n")

    async def describe(self):
        self.note("describe")
        self.context.run_dir.mkdir(parents=True, exist_ok=True)
        (self.context.run_dir / "container.log").write_text("line of the log\\n")
        if self.mood == "absent":
            raise TransportError("nothing listens on port 1", hint="start the container")
        if self.mood == "slow":
            await asyncio.Event().wait()
        while self.mood == "deaf" and not (self.context.base_dir / "free").exists():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                self.note("deaf")
        return await super().describe()

    async def rollout(self, request):
        self.note(f"rollout {request.row.id}")
        if self.mood == "failing":
            return RolloutFailure(FailureKind.CONTAINER, "boom", f"it burst with {os.environ.get('A_KEY')}")
        if self.mood == "odd":
            raise ZeroDivisionError("nobody expected this")
        done = await super().rollout(request)
        return attrs.evolve(done, objectives={"share": 7.0 if self.mood == "wild" else 0.5})

    async def close(self):
        self.note("close")


class Practice(FakeProposer):
    def __init__(self, config):
        self.mood = config.mood

    async def preflight(self):
        if self.mood == "keyless":
            raise TransportError("the key is not set")
"""
TRANSPORT = """
plugin_info = PluginInfo(Kind.TRANSPORT, "skills", ">=1.0,<2", config=Config)


@hookimpl
def gepa_make_transport(config, context):
    return Skills(config, context)
"""
PROPOSER = """
plugin_info = PluginInfo(Kind.PROPOSER, "practice", ">=1.0,<2", config=Config)


@hookimpl
def gepa_make_proposer(config):
    return Practice(config)
"""
SCENARIO = """
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import *

plugin_info = PluginInfo(Kind.EXTRA, "scenario.{name}", ">=1.0,<2", summary="Tries things.")
CONFIG = {{
    "run": {{"output_dir": "runs"}},
    "container": {{"transport": "skills"}},
    "dataset": {{"train_seeds": "0-7", "heldout_seeds": "100-103"}},
    "proposer": {{"backend": "practice"}},
    "gepa": {{"minibatch_size": 3, "max_generations": 2}},
}}


def scenario(**changes):
    said = {{"id": {name!r}, "summary": "Tries things.", "config": CONFIG}}
    return Scenario(**{{**said, "budgets": {{"max_total_rollouts": 90}}, **changes}})


@hookimpl
def gepa_scenarios():
    return {scenarios}
"""


@attrs.frozen
class Bench:
    """A working directory, and a directory on ``sys.path`` that distributions are written to."""

    path: Path
    site: Path

    def offer(
        self, name: str = "skills", scenarios: str = "[scenario()]", dist: str = "gf-sc", text: str = ""
    ) -> None:
        """Install an extra with scenarios; `scenarios` is what it gives."""
        source = text or SCENARIO.format(name=name, scenarios=scenarios)
        self.install(dist, "extras", f"scenario.{name}", source)

    def install(self, dist: str, group: str, name: str, source: str) -> None:
        """Install a distribution of one plugin."""
        module = f"{dist.replace('-', '_')}_{name.replace('.', '_')}"
        info = self.site / f"{dist.replace('-', '_')}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        with (info / "entry_points.txt").open("a") as points:
            points.write(f"[gepa_framework.{group}]\n{name} = {module}\n")
        (self.site / f"{module}.py").write_text(source)
        importlib.invalidate_caches()

    def run(self, name: str = "skills", *sets: str, **environ: str) -> GepaRun:
        """Describe the run that a scenario begins with."""
        return GepaRun.from_scenario(name, base_dir=self.path, sets=sets, environ=environ)

    def asked(self) -> list[str]:
        """Give what the container was asked, one word and the run's name each."""
        return (self.path / "asked.log").read_text().splitlines()

    def imported(self) -> set[str]:
        """Give the modules of this bench that were imported."""
        return {name for name in sys.modules if name.startswith("gf_")}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    site, work = tmp_path / "site", tmp_path / "work"
    site.mkdir()
    work.mkdir()
    (work / "asked.log").touch()
    bench = Bench(work, site)
    bench.install("gf-task", "transports", "skills", WORLD + TRANSPORT)
    bench.install("gf-propose", "proposers", "practice", WORLD + PROPOSER)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(work)
    importlib.invalidate_caches()
    yield bench
    for name in bench.imported():
        del sys.modules[name]
