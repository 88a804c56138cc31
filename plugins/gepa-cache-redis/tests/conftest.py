from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from gepa_cache_redis.config import RedisCacheConfig
from gepa_cache_redis.plugin import gepa_make_cache
from gepa_framework.types import BuildContext


class Server:
    """A Redis server of the tests' own, on a Unix socket and with nothing on disk."""

    def __init__(self, *options: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed; on Debian and Ubuntu: apt-get install redis-server")
        # A socket's path may not be long, and those of pytest are.
        self.directory = Path(tempfile.mkdtemp(prefix="gepa-redis-"))
        self.socket = self.directory / "s"
        settings = {
            "port": "0",
            "unixsocket": self.socket,
            "dir": self.directory,
            "save": "",
            "appendonly": "no",
        }
        words = [str(word) for name, value in settings.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen(
            [program, *words, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "eady to accept connections" in line:
                return
        pytest.fail("".join(said))

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests; each has a prefix of its own."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def start() -> Iterator[type[Server]]:
    """Start a server for one test."""
    started = []

    def start(*options: str) -> Server:
        started.append(Server(*options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def build(tmp_path):
    """Build a cache as the framework does."""

    def build(url, *, readonly=False, environ=None, redact=str, **config):
        context = BuildContext(
            run_id="r",
            run_dir=tmp_path / "run",
            base_dir=tmp_path,
            environ=environ or {},
            redact=redact,
            readonly=readonly,
        )
        return gepa_make_cache(RedisCacheConfig(url=url, **config), context)

    return build


@pytest.fixture
def own(server, build, tmp_path):
    """A place on the server that is this test's alone."""
    prefix = "t:" + "".join(letter if letter.isalnum() else "-" for letter in f"{tmp_path}")[-90:]
    return SimpleNamespace(
        prefix=prefix, open=lambda **options: build(server.url, **{"prefix": prefix, **options})
    )
