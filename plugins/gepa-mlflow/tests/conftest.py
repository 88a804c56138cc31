from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from gepa_framework import GepaRun
from gepa_framework.types import BuildContext
from gepa_mlflow.config import MlflowConfig
from gepa_mlflow.plugin import gepa_make_listener

FAKES = Path(__file__).parent / "fakes"
CONFIG = """\
[run]
run_id = "r1"
seed = 3
[container]
transport = "scripted"
[dataset]
train_seeds = "0-7"
heldout_seeds = "100-103"
[proposer]
backend = "scripted"
[cache]
mode = "off"
[gepa]
minibatch_size = 3
max_generations = 6
max_total_rollouts = 200
retry_backoff_seconds = 0.001
[[listeners]]
use = "mlflow"
close_seconds = 50.0
{listener}
"""


def client(uri: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.tracking import MlflowClient

        return MlflowClient(tracking_uri=uri)


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A database with MLflow's tables: to make them takes longer than any test."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    client(f"sqlite:///{path}").search_experiments()
    return path


@attrs.frozen
class Store:
    """What MLflow has."""

    uri: str

    @property
    def client(self) -> Any:
        return client(self.uri)

    def runs(self, experiment: str = "gepa") -> list[Any]:
        found = self.client.get_experiment_by_name(experiment)
        return self.client.search_runs([found.experiment_id]) if found else []

    @property
    def run(self) -> Any:
        (run,) = self.runs()
        return run

    def history(self, key: str) -> list[tuple[int, float]]:
        points = self.client.get_metric_history(self.run.info.run_id, key)
        return [(point.step, point.value) for point in points]

    def histories(self) -> dict[str, list[tuple[int, float]]]:
        return {key: self.history(key) for key in sorted(self.run.data.metrics)}

    def text(self, path: str) -> str:
        place = self.client.download_artifacts(self.run.info.run_id, path)
        return Path(place).read_text(encoding="utf-8")


@pytest.fixture
def store(made, tmp_path) -> Store:
    shutil.copy(made, tmp_path / "mlflow.db")
    return Store(f"sqlite:///{tmp_path / 'mlflow.db'}")


@pytest.fixture(scope="session")
def store_at() -> type[Store]:
    return Store


@attrs.frozen
class Project:
    """A directory with a configuration."""

    path: Path

    def write(self, listener: str = "") -> Path:
        config = self.path / "gepa.toml"
        config.write_text(CONFIG.format(listener=listener))
        return config

    def script(self, words: str) -> None:
        (self.path / "script").write_text(words)

    def run(self, listener: str = "", sets: tuple[str, ...] = (), **options: Any) -> Any:
        return GepaRun.from_toml(self.write(listener), sets=sets, environ={}).execute(**options)

    def resume(self, **options: Any) -> Any:
        return GepaRun.resume(self.directory).execute(**options)

    @property
    def directory(self) -> Path:
        return self.path / "runs" / "r1"

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.directory / "events.jsonl").read_text().splitlines()]

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [event for event in self.events() if event["type"] == type_]

    def gepa(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gepa_framework.cli", *words, "--display", "none"],
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": str(FAKES), "MLFLOW_DISABLE_TELEMETRY": "true"},
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=100,
            check=False,
        )


@pytest.fixture
def project(tmp_path, monkeypatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(FAKES)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    yield Project(tmp_path)
    for name in [name for name in sys.modules if name.startswith("gepa_mlflow_fakes")]:
        del sys.modules[name]


@pytest.fixture
def build(tmp_path):
    """Build a listener as the framework does."""

    def build(*, environ=None, redact=str, **config):
        context = BuildContext(
            run_id="r1",
            run_dir=tmp_path / "runs" / "r1",
            base_dir=tmp_path,
            environ=environ or {},
            redact=redact,
        )
        return gepa_make_listener(MlflowConfig(**config), context)

    return build


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def nowhere() -> str:
    """An address at which nobody answers."""
    return f"http://127.0.0.1:{free_port()}"


class Server:
    """MLflow's own server, over a database that has its tables."""

    def __init__(self, directory: Path, database: Path) -> None:
        shutil.copy(database, directory / "mlflow.db")
        self.port = free_port()
        self.log = directory / "server.log"
        command = [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port),
            "--workers", "1", "--gunicorn-opts", "--timeout 60",
            "--backend-store-uri", f"sqlite:///{directory / 'mlflow.db'}",
            "--artifacts-destination", str(directory / "artifacts"),
        ]  # fmt: skip
        environ = {
            **os.environ,
            "HOME": str(directory),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=directory, env=environ, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> None:
        deadline = time.monotonic() + 100
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)  # its own group: the server and its worker
        self.process.wait(10)


@pytest.fixture
def server(made, tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), made)
    try:
        server.wait()
        yield server
    finally:
        server.stop()
