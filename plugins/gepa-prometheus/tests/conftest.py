from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gepa_framework.types import BuildContext
from gepa_prometheus.config import PrometheusConfig
from gepa_prometheus.plugin import gepa_make_listener

SECONDS = 30.0
ALERTS = Path(__file__).parents[1] / "src/gepa_prometheus/alerts.yml"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; on Debian and Ubuntu: apt-get install prometheus")
    return found


def until(look, *, seconds: float = SECONDS):
    """Look again and again until there is something to see, and give it."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {look.__qualname__} in vain"
        time.sleep(0.02)
    return seen


def get(url: str, timeout: float = 10.0) -> str:
    with _OPENER.open(url, timeout=timeout) as answer:
        return answer.read().decode()


class Prometheus:
    """A Prometheus of the test's own, on loopback; it finds targets in `targets`."""

    def __init__(self, home: Path) -> None:
        self.targets = home / "targets"
        self.targets.mkdir(parents=True)
        self._config = home / "prometheus.yml"
        self._config.write_text(
            "global: {scrape_interval: 200ms, evaluation_interval: 200ms}\n"
            f"rule_files: [{ALERTS}]\n"
            "scrape_configs:\n"
            "  - job_name: gepa\n"
            "    file_sd_configs:\n"
            f"      - {{files: ['{self.targets}/gepa-*.json'], refresh_interval: 1s}}\n"
        )
        self._log = (home / "log").open("w")
        self._storage = home / "data"
        self.process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        for _ in range(5):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
            words = [
                program("prometheus"),
                f"--config.file={self._config}",
                f"--storage.tsdb.path={self._storage}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ]
            process = subprocess.Popen(words, stdout=self._log, stderr=subprocess.STDOUT)
            if until(lambda process=process: process.poll() or self._ready()) is True:
                return process
        pytest.fail(Path(self._log.name).read_text())

    def _ready(self) -> bool:
        try:
            return "Ready" in get(f"{self.url}/-/ready", timeout=1)
        except OSError:
            return False

    def api(self, path: str, **query: str):
        answer = json.loads(get(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str) -> dict[tuple[str, ...], float]:
        """Give the values of an instant query by the values of their labels, sorted by name."""
        found = {}
        for each in self.api("query", query=expression)["result"]:
            labels = {k: v for k, v in each["metric"].items() if k not in ("__name__", "instance", "job")}
            found[tuple(labels[name] for name in sorted(labels))] = float(each["value"][1])
        return found

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self._log.close()


@pytest.fixture(name="until")
def _until():
    return until


@pytest.fixture(name="get")
def _get():
    return get


@pytest.fixture
def prometheus(tmp_path) -> Iterator[Prometheus]:
    program("prometheus")
    server = Prometheus(tmp_path / "prometheus")
    yield server
    server.stop()


@pytest.fixture
def promtool():
    """Give a function that runs promtool and gives what it says, once it is content."""
    tool = program("promtool")

    def run(*words: object, given: str | None = None) -> str:
        done = subprocess.run(
            [tool, *map(str, words)],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


@pytest.fixture
def context(tmp_path) -> BuildContext:
    return BuildContext(run_id="run-1", run_dir=tmp_path / "runs/run-1", base_dir=tmp_path)


@pytest.fixture
def build(context):
    """Build a listener as the framework does; it is closed after the test."""
    made = []

    def build(**config):
        made.append(gepa_make_listener(PrometheusConfig(**config), context))
        return made[-1]

    yield build
    for listener in made:
        listener.close()


@pytest.fixture
def metrics():
    """Give a function that scrapes a listener and gives the values by name and labels as they are written."""

    def scrape(listener) -> dict[str, float]:
        return parsed(get(f"http://127.0.0.1:{listener.port}/metrics"))

    return scrape


@pytest.fixture(name="parsed")
def _parsed():
    return parsed


def parsed(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


_WORLD = """
import asyncio
from pathlib import Path
import attrs
from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer, FakeTransport
from gepa_framework.types import FREE, FailureKind, Kind, PluginInfo, RolloutFailure, Usage

@attrs.frozen
class Config:
    gate: str
    after: int = 10**9
    fail_every: int = 0

class Transport(FakeTransport):
    def __init__(self, config):
        super().__init__()
        self.config = config

    async def rollout(self, request):
        done = await super().rollout(request)
        while len(self.asked) > self.config.after and not Path(self.config.gate).exists():
            await asyncio.sleep(0.01)
        if self.config.fail_every and request.row.seed % self.config.fail_every == 0:
            return RolloutFailure(FailureKind.TIMEOUT, "slow", "it took too long", usage=FREE)
        return attrs.evolve(done, usage=Usage(10, 5, 15, 0.25))
"""
_MODULES = {
    "transport": "plugin_info = PluginInfo(Kind.TRANSPORT, 'skills', '>=1.0,<2', config=Config)\n"
    "@hookimpl\ndef gepa_make_transport(config):\n    return Transport(config)\n",
    "proposer": "plugin_info = PluginInfo(Kind.PROPOSER, 'skills', '>=1.0,<2')\n"
    "@hookimpl\ndef gepa_make_proposer():\n    return FakeProposer()\n",
}
_RUN = """
[run]
run_id = "{run_id}"
seed = 5
[container]
transport = "skills"
gate = "{gate}"
after = {after}
fail_every = 7
[dataset]
train_seeds = "0-19"
heldout_seeds = "100-109"
[proposer]
backend = "skills"
[cache]
mode = "off"
[gepa]
minibatch_size = 4
max_total_rollouts = 300
max_cost_usd = 500.0
max_rollout_attempts = 1
rollout_estimated_cost_usd = 0.25
proposer_estimated_cost_usd = 0
"""


class Runs:
    """Runs `gepa` in processes of their own, on a task that waits at a gate."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.gate = home / "gate"
        self._started: list[subprocess.Popen[str]] = []
        site = home / "site"
        info = site / "skills-1.0.dist-info"
        info.mkdir(parents=True)
        points = ""
        for kind, text in _MODULES.items():
            (site / f"skills_{kind}.py").write_text(_WORLD + text)
            points += f"[gepa_framework.{kind}s]\nskills = skills_{kind}\n"
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: skills\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(points)
        self._environ = {**os.environ, "PYTHONPATH": str(site), "CI": "true"}

    def write(self, listener: str, run_id: str = "banking-1", after: int = 10**9) -> Path:
        config = self.home / f"{run_id}.toml"
        config.write_text(
            _RUN.format(run_id=run_id, gate=self.gate, after=after)
            + f'[[listeners]]\nuse = "prometheus"\n{listener}\n'
        )
        return config

    def start(self, *words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "gepa_framework", *map(str, words)]
        self._started.append(
            subprocess.Popen(
                command,
                cwd=self.home,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return self._started[-1]

    def directory(self, run_id: str = "banking-1") -> Path:
        return self.home / "runs" / run_id

    def events(self, run_id: str = "banking-1") -> list[dict]:
        path = self.directory(run_id) / "events.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def stop(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate(timeout=10)


@pytest.fixture
def runs(tmp_path) -> Iterator[Runs]:
    made = Runs(tmp_path / "home")
    yield made
    made.stop()
