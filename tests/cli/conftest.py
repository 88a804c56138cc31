from __future__ import annotations

import importlib
import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result

from gepa_framework.cli.main import gepa

SOURCE = """
from __future__ import annotations

import asyncio

import attrs

from gepa_framework.errors import TransportError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import FailureKind, Kind, PluginInfo, RolloutFailure, Stage


@attrs.frozen
class SkillsConfig:
    mood: str = attrs.field(default="well", metadata={"help": "well, absent, slow, failing or broken."})
    gate: str = attrs.field(default="", metadata={"help": "File that slow rollouts wait for."})


class Skills(FakeTransport):
    def __init__(self, config, context):
        super().__init__()
        self.config = config
        self.gate = context.base_dir / config.gate

    async def describe(self):
        if self.config.mood == "absent":
            raise TransportError("nothing listens on port 1", hint="start the container")
        if self.config.mood == "broken":
            raise ZeroDivisionError("nobody expected this")
        return await super().describe()

    async def rollout(self, request):
        if self.config.mood == "failing":
            return RolloutFailure(kind=FailureKind.CONTAINER, code="boom", message="it \\x1b[31mburst")
        if self.config.mood == "slow" and request.stage is Stage.PARENT:
            for _ in range(3000):
                if self.gate.exists():
                    break
                await asyncio.sleep(0.01)
        return await super().rollout(request)


@attrs.frozen
class PracticeConfig:
    pace: int = attrs.field(metadata={"help": "How eagerly it learns."}, default=1)
"""

PRACTICE = """
from __future__ import annotations

from gf_cli_skills import PracticeConfig
from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(
    kind=Kind.PROPOSER, name="practice", api=">=1.0,<2", config=PracticeConfig, summary="Practises."
)


@hookimpl
def gepa_make_proposer(config, context):
    return FakeProposer()
"""

SKILLS_PLUGIN = """
plugin_info = PluginInfo(kind=Kind.TRANSPORT, name="skills", api=">=1.0,<2", config=SkillsConfig)


@hookimpl
def gepa_make_transport(config, context):
    return Skills(config, context)
"""

BROKEN = "raise RuntimeError('an unselected plugin was imported')\n"

CONFIG = """\
[run]
run_id = "first"
seed = 7

[container]
transport = "skills"

[dataset]
train_seeds = "0-19"
heldout_seeds = "100-129"

[proposer]
backend = "practice"

[gepa]
max_total_rollouts = 260
max_generations = 4
minibatch_size = 4

[cache]
mode = "off"
backend = "memory"
"""


@attrs.frozen
class Shell:
    """The command line over a directory of its own, with a fake transport and proposer installed."""

    path: Path
    site: Path

    def run(self, *args: str) -> Result:
        """Run the command line in this process."""
        return CliRunner().invoke(gepa, args, prog_name="gepa")

    def popen(self, *args: str, code: str = "", **kwargs: object) -> subprocess.Popen[str]:
        """Start the command line, or other code, in a process of its own."""
        target = ["-c", code] if code else ["-m", "gepa_framework.cli"]
        environ = {**os.environ, "PYTHONPATH": str(self.site), "TERM": "xterm", "COLUMNS": "100"}
        environ |= kwargs.pop("env", {})  # type: ignore[operator]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **kwargs}
        return subprocess.Popen(
            [sys.executable, *target, *args],
            cwd=self.path,
            env=environ,
            text=True,
            **options,  # type: ignore[call-overload]
        )

    def config(self, **changes: str) -> Path:
        """Write a configuration, with parts of it replaced."""
        text = CONFIG
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        path = self.path / "gepa.toml"
        path.write_text(text)
        return path


def _install(site: Path) -> None:
    info = site / "gf_cli_fakes-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gf-cli-fakes\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[gepa_framework.transports]\nskills = gf_cli_skills\n\n"
        "[gepa_framework.proposers]\npractice = gf_cli_practice\n\n"
        "[gepa_framework.executors]\nbroken = gf_cli_broken\n"
    )
    (site / "gf_cli_skills.py").write_text(SOURCE + SKILLS_PLUGIN)
    (site / "gf_cli_practice.py").write_text(PRACTICE)
    (site / "gf_cli_broken.py").write_text(BROKEN)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    site, work = tmp_path / "site", tmp_path / "work"
    _install(site)
    work.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(work)
    importlib.invalidate_caches()
    shell = Shell(work, site)
    shell.config()
    handlers = logging.getLogger().handlers[:]
    yield shell
    logging.getLogger().handlers[:] = handlers
    for name in [name for name in sys.modules if name.startswith("gf_cli_")]:
        del sys.modules[name]


@pytest.fixture
def finished(shell: Shell) -> Path:
    """Run the example to its end and give the directory of the run."""
    assert shell.run("run", "--config", "gepa.toml", "--display", "none").exit_code == 0
    return shell.path / "runs" / "first"


@pytest.fixture
def reworded(finished: Path) -> Callable[[str, str], None]:
    """Give a function that changes a text in all events of that run, as nobody may."""

    def change(old: str, new: str) -> None:
        with closing(sqlite3.connect(finished / "workspace.sqlite")) as database:
            database.execute("UPDATE events SET body = replace(body, ?, ?)", (old, new))
            database.commit()

    return change


@pytest.fixture
def cut_off(finished: Path) -> Callable[[str], Path]:
    """Give a function that ends the record of that run before the first event of a type."""

    def cut(name: str) -> Path:
        with closing(sqlite3.connect(finished / "workspace.sqlite")) as database:
            query = "SELECT min(position) FROM events WHERE type = ?"
            ((position,),) = database.execute(query, (name,)).fetchall()
            for table in ("events", "attempts", "inputs"):
                database.execute(f"DELETE FROM {table} WHERE position >= ?", (position,))
            database.commit()
        return finished

    return cut
