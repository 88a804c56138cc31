from __future__ import annotations

import json
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest
import uvicorn

from gepa_cookbook_banking77.data import DATA_ENV, Dataset, load_dataset
from gepa_cookbook_banking77.policies import Policy, ask_lexical
from gepa_cookbook_banking77.service import build_container
from gepa_framework.types import Candidate, EvidenceFrame, Program, ProposalRequest, RejectedAttempt

REPOSITORY = Path(__file__).parents[3]
COMPONENT = "intent_cards"


@pytest.fixture(scope="session")
def sample() -> Dataset:
    return load_dataset()


@pytest.fixture(scope="session")
def real_dir() -> Path:
    named = os.environ.get(DATA_ENV)
    directory = Path(named) if named else REPOSITORY.parent / "shared" / "data" / "banking77"
    if not (directory / "train.csv").is_file():
        pytest.skip(f"the real Banking77 is not in {directory}; set {DATA_ENV} to where it is")
    return directory


@attrs.frozen
class Served:
    """A server on loopback and a plain way to ask it."""

    port: int

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def rollout(self, **fields: object) -> Any:
        status, answer = self.ask("POST", "/rollouts", {"rollout_id": "r1", **fields})
        assert status == 200, answer
        return answer


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """Serve a dataset with the SDK's own app, in a thread."""

    @contextmanager
    def serving(dataset: Dataset, policies: Mapping[str, Policy]) -> Iterator[Served]:
        listening = socket.create_server(("127.0.0.1", 0))
        app = build_container(dataset, policies).fastapi()
        server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Served(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(timeout=20)
            listening.close()
            assert not thread.is_alive()

    return serving


@pytest.fixture(scope="session")
def container(serve: Callable[..., Any], sample: Dataset) -> Iterator[Served]:
    with serve(sample, {"lexical": ask_lexical}) as served:
        yield served


class FakeServer(ThreadingHTTPServer):
    """Answers what it is told to, and remembers what it was asked."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FakeHandler)
        self.replies: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def vanish(self) -> None:
        self.shutdown()
        self.server_close()

    def say(self, path: str, body: object, status: int = 200, headers: Mapping[str, str] = {}) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.replies[path] = (status, content, dict(headers))


class FakeHandler(BaseHTTPRequestHandler):
    server: FakeServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        size = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(size)) if size else None
        self.server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        status, content, headers = self.server.replies.get(self.path, (404, b"{}", {}))
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    server = FakeServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.vanish()
        thread.join(timeout=20)


def program_of(text: str) -> Program:
    return Program(
        program_id="p", task_id="banking77", components=(), targets=(COMPONENT,), seed={COMPONENT: text}
    )


@pytest.fixture(scope="session")
def request_for() -> Callable[..., ProposalRequest]:
    """Make the request that a run would make."""

    def make(
        text: str,
        evidence: Sequence[EvidenceFrame],
        *,
        seed: int = 1,
        refused: Sequence[str] = (),
        components: tuple[str, ...] = (COMPONENT,),
    ) -> ProposalRequest:
        return ProposalRequest(
            proposal_id="p1",
            iteration=1,
            parent=Candidate.of({COMPONENT: text}),
            components=components,
            evidence=tuple(evidence),
            rejected=tuple(
                RejectedAttempt(candidate_id="c", changes={COMPONENT: one}, reason="no better")
                for one in refused
            ),
            program=program_of(text),
            seed=seed,
        )

    return make


@pytest.fixture(scope="session")
def frame_of() -> Callable[..., EvidenceFrame]:
    """Make the evidence frame of one query as the container and the transport make it."""

    def make(query: str, answered: str | None, expected: str, row_id: str = "train:0") -> EvidenceFrame:
        right = answered == expected
        return EvidenceFrame(
            row_id=row_id,
            inputs={"task_id": row_id, "query": query, "label": expected},
            reward=1.0 if right else 0.0,
            output=answered,
            side_info={"query": query, "answered": answered, "expected": expected},
        )

    return make


@pytest.fixture(scope="session")
def lots() -> Callable[[object], random.Random]:
    return lambda name: random.Random(str(name))
