from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from gepa_framework import GepaRun

DISTRIBUTIONS = Path(__file__).parents[1] / "distributions"
CONFIG = """\
[run]
run_id = "{run_id}"
seed = 3
[container]
transport = "{transport}"
{container}
[dataset]
train_seeds = "0-7"
heldout_seeds = "100-103"
[proposer]
backend = "fake"
[cache]
{cache}
[gepa]
minibatch_size = 3
max_generations = 6
max_total_rollouts = 200
retry_backoff_seconds = 0.001
{gepa}
{more}
"""


@attrs.frozen
class Project:
    """A directory with a configuration, whose plugins are the fakes and what a test adds to them."""

    path: Path
    site: Path

    def write(
        self,
        run_id: str = "r1",
        *,
        transport: str = "fake",
        container: str = 'log = "asked.log"',
        cache: str = 'mode = "off"',
        gepa: str = "",
        more: str = "",
    ) -> Path:
        config = self.path / f"{run_id}.toml"
        config.write_text(
            CONFIG.format(
                run_id=run_id, transport=transport, container=container, cache=cache, gepa=gepa, more=more
            )
        )
        return config

    def run(self, run_id: str = "r1", **options: str) -> GepaRun:
        return GepaRun.from_toml(self.write(run_id, **options), environ={})

    def directory(self, run_id: str = "r1") -> Path:
        return self.path / "runs" / run_id

    def asked(self) -> list[str]:
        log = self.path / "asked.log"
        return log.read_text().splitlines() if log.exists() else []

    def normalised(self, run_id: str = "r1") -> str:
        return (self.directory(run_id) / "events.normalized.jsonl").read_text()

    def types(self, run_id: str = "r1") -> list[str]:
        return [json.loads(line)["type"] for line in self.normalised(run_id).splitlines()]

    def read(self, name: str, run_id: str = "r1") -> Any:
        return json.loads((self.directory(run_id) / name).read_text())

    def registry(self) -> list[tuple[str, str]]:
        lines = (self.path / "runs" / "run_registry.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        assert all(row["ts"].endswith("Z") for row in rows)
        return [(row["run_id"], row["status"]) for row in rows]

    def offer(self, kind: str, name: str, body: str) -> None:
        """Install one more plugin; `body` defines ``make``, which builds it."""
        module = f"gf_app_{name}"
        info = self.site / f"{module}-1.0.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[gepa_framework.{kind}s]\n{name} = {module}\n")
        (self.site / f"{module}.py").write_text(
            "from gepa_framework.hookspecs import hookimpl\n"
            "from gepa_framework.types import *\n"
            f"{body}\n"
            f"plugin_info = PluginInfo(kind=Kind.{kind.upper()}, name={name!r}, api='>=1.0,<2')\n"
            "@hookimpl\n"
            f"def gepa_make_{kind}(config, context):\n    return make(context)\n"
        )
        importlib.invalidate_caches()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(DISTRIBUTIONS)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Project(tmp_path, site)
    for name in [name for name in sys.modules if name.startswith("gf_app_")]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def distributions() -> Path:
    return DISTRIBUTIONS


class At:
    """A listener that does something at the n-th event of a type."""

    def __init__(self, name: str, count: int, act: Callable[[], None]) -> None:
        self.name, self.left, self.act = name, count, act
        self.heard: list[Any] = []

    def on_event(self, event: Any) -> None:
        self.heard.append(event)
        if event.type == self.name:
            self.left -= 1
            if self.left == 0:
                self.act()

    def close(self) -> None: ...


@pytest.fixture(scope="session")
def at() -> type[At]:
    return At
