from __future__ import annotations

import importlib.util
import json
import socket
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn

from gepa_framework.types import BuildContext, Candidate, RolloutRequest, Stage, TaskRow
from gepa_synth_containers.config import SynthContainersConfig
from gepa_synth_containers.plugin import gepa_make_transport

CONTAINERS = Path(__file__).with_name("containers")


def _load(name):
    spec = importlib.util.spec_from_file_location(
        f"gepa_synth_containers_tests_{name}", CONTAINERS / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def toy():
    return _load("toy")


@pytest.fixture(scope="session")
def evil():
    return _load("evil")


@pytest.fixture
def containers():
    """The directory of the containers that are started by command."""
    return CONTAINERS


@pytest.fixture
def serve():
    """Serve an ASGI application on a free loopback port and give its address."""
    running = []

    def start(app):
        sock = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        # Signals are for the main thread; the server is stopped by its flag.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        running.append((server, thread, sock))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"

    yield start
    for server, thread, sock in running:
        server.should_exit = server.force_exit = True
        thread.join(10)
        sock.close()


@pytest.fixture
def make(tmp_path):
    """Build a transport as the framework does, in a run of its own, and close it afterwards."""

    @asynccontextmanager
    async def building(*, settings=None, environ=None, concurrency=4, redact=str, **config):
        context = BuildContext(
            run_id="run",
            run_dir=tmp_path / "run",
            base_dir=tmp_path,
            concurrency=concurrency,
            settings={"rollout_poll_interval_ms": 5, **(settings or {})},
            environ=environ or {},
            redact=redact,
        )
        transport = gepa_make_transport(SynthContainersConfig(**config), context)
        try:
            yield transport
        finally:
            await transport.close()

    return building


@pytest.fixture
def ask():
    """Make a rollout request whose candidate text is what a container goes by."""

    def request(text="hello", **changes):
        values = {
            "rollout_id": "gepa_1",
            "candidate": Candidate.of({"m": text}),
            "row": TaskRow("train:1", "train", {"task_id": "train:1", "text": "query 1", "label": "class 1"}),
            "stage": Stage.CHILD,
            "task_id": "toy-task",
            **changes,
        }
        return RolloutRequest(**values)

    return request


@pytest.fixture
def mini():
    """The command that starts the container in the standard library."""

    def command(*words):
        return ("{python}", "-S", str(CONTAINERS / "mini.py"), *words)

    return command


@pytest.fixture
def processes():
    """Looks at processes by id."""

    def is_alive(pid):
        try:
            stat = Path("/proc", str(pid), "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    def left_of(path, seconds=8.0):
        """Give those of the recorded processes that are still there after so long at most."""
        pids = json.loads(path.read_text())
        deadline = time.monotonic() + seconds
        while any(map(is_alive, pids)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return [pid for pid in pids if is_alive(pid)]

    return SimpleNamespace(is_alive=is_alive, left_of=left_of)
