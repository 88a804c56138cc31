"""A receiver on loopback that goes by a script, and listeners that post to it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
import logging
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest

from gepa_framework.builtin.webhook import WebhookListener
from gepa_framework.builtin.webhook_config import WebhookConfig
from gepa_framework.builtin.webhook_secrets import WebhookSecrets
from gepa_framework.testing.samples import sample_body
from gepa_framework.types import BuildContext, Event

DISTRIBUTIONS = Path(__file__).parents[1] / "distributions"
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
PATIENCE = 30.0
CONFIG = """\
[run]
run_id = "r1"
seed = 3
[container]
transport = "fake"
delay_seconds = {delay}
[dataset]
train_seeds = "0-7"
heldout_seeds = "100-103"
[proposer]
backend = "fake"
[cache]
mode = "off"
[gepa]
minibatch_size = 3
max_generations = 6
max_total_rollouts = 200
[[listeners]]
use = "webhook"
url = "{url}"
secret_env = "HOOK_SECRET"
{more}
"""


@attrs.frozen
class Delivery:
    """One request that came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    def signed_by(self, key: bytes = KEY) -> bool:
        """Say whether a key made one of the signatures; nothing of the framework is asked."""
        content = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return f"v1,{wanted}" in self.headers["webhook-signature"].split(" ")


def status(code: int, body: bytes = b"", **headers: str) -> Callable[[Any], None]:
    """Answer with a status."""

    def answer(handler: Any) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    answer.accepts = 200 <= code < 300
    return answer


def hang(handler: Any) -> None:
    """Say nothing until the end of the test."""
    handler.receiver.released.wait(PATIENCE)
    handler.close_connection = True


def reset(handler: Any) -> None:
    """Break the connection in the hardest way."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.detach()
    handler.close_connection = True


def slow_body(handler: Any) -> None:
    """Take the event, and then never come to the end of the answer."""
    handler.send_response(200)
    handler.send_header("content-length", "100000")
    handler.end_headers()
    handler.wfile.write(b"[")
    handler.wfile.flush()
    handler.receiver.released.wait(PATIENCE)
    handler.close_connection = True


slow_body.accepts = True


class Receiver:
    """Answers as it was told: `script` holds the next answers, and when it is empty all is well."""

    status = staticmethod(status)
    hang = staticmethod(hang)
    reset = staticmethod(reset)
    slow_body = staticmethod(slow_body)

    def __init__(self) -> None:
        self.script: list[Callable[[Any], None]] = []
        self.always: Callable[[Any], None] = status(204)
        self.heard: list[Delivery] = []
        self.taken: list[Delivery] = []
        self.released = threading.Event()
        self._changed = threading.Condition()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver._answer(self)

            def log_message(self, *_: object) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None: ...

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _answer(self, handler: Any) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        delivery = Delivery(handler.path, headers, body)
        handler.receiver = self
        with self._changed:
            answer = self.script.pop(0) if self.script else self.always
            self.heard.append(delivery)
            if getattr(answer, "accepts", False):
                self.taken.append(delivery)
            self._changed.notify_all()
        answer(handler)

    def wait(self, count: int) -> list[Delivery]:
        """Wait until so many requests came in."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.heard) >= count, PATIENCE), self.heard
            return list(self.heard)

    def wait_for(self, type_: str) -> None:
        """Wait until an event of a type came in."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: any(each.event["type"] == type_ for each in self.heard), PATIENCE
            )
            assert came, [each.event["type"] for each in self.heard]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    given = Receiver()
    given.start()
    yield given
    given.stop()


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    return BuildContext(
        run_id="r1",
        run_dir=tmp_path / "runs" / "r1",
        base_dir=tmp_path,
        environ={"HOOK_SECRET": SECRET},
        logger=logging.getLogger("gepa_framework.plugin.webhook"),
    )


@pytest.fixture
def webhook(receiver: Receiver, context: BuildContext) -> Iterator[Callable[..., WebhookListener]]:
    """Give what builds listeners that do not pause between attempts, unless told to."""
    built: list[WebhookListener] = []

    def build(*, pause: Callable[[int], float] = lambda _: 0.0, environ=None, **keys: Any) -> WebhookListener:
        given = {"url": receiver.url, "secret_env": "HOOK_SECRET", "close_seconds": PATIENCE, **keys}
        config = WebhookConfig(**given)
        secrets = WebhookSecrets.read(config, environ or context.environ)
        built.append(WebhookListener(config, secrets, context, pause))
        return built[-1]

    yield build
    receiver.released.set()
    for listener in built:
        listener.close()


@pytest.fixture
def say() -> Callable[..., list[Event]]:
    """Give what tells a listener of events of some types, numbered on from a number."""

    def say(listener: WebhookListener, *types: str, start: int = 1) -> list[Event]:
        told = [
            Event(seq=seq, elapsed_seconds=seq / 8, body=sample_body(type_))
            for seq, type_ in enumerate(types, start=start)
        ]
        for event in told:
            listener.on_event(event)
        return told

    return say


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    return lambda: [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


@attrs.frozen
class Project:
    """A configuration of a run that posts to the receiver."""

    path: Path
    receiver: Receiver

    def write(self, *, delay: float = 0.0, **keys: Any) -> Path:
        more = "\n".join(f"{name} = {json.dumps(value)}" for name, value in keys.items())
        config = self.path / "gepa.toml"
        config.write_text(CONFIG.format(url=self.receiver.url, delay=delay, more=more))
        return config

    @property
    def run_dir(self) -> Path:
        return self.path / "runs" / "r1"

    def feed(self) -> list[Any]:
        path = self.run_dir / "events.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def environ(self) -> Mapping[str, str]:
        path = os.pathsep.join([str(DISTRIBUTIONS), os.environ.get("PYTHONPATH", "")])
        return {**os.environ, "PYTHONPATH": path, "HOOK_SECRET": SECRET}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "gepa_framework.cli", *arguments, "--display", "none"]


@pytest.fixture
def project(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.syspath_prepend(DISTRIBUTIONS)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    importlib.invalidate_caches()
    return Project(tmp_path, receiver)


@pytest.fixture
def secret() -> str:
    return SECRET


@pytest.fixture
def key() -> bytes:
    return KEY
