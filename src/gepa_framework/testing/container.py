"""A task container that goes by a script: a real HTTP server on loopback, for tests of transports.

It speaks both route sets of the contract ``synth_optimizers.gepa.v2``, runs rollouts by ``sync`` or ``async``
as it is asked to, and misbehaves as its script says. It keeps what it was asked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

import attrs

from gepa_framework.testing.samples import TEXTS

VERSION = "synth_optimizers.gepa.v2"
#: What is held back is let go after so many seconds at the latest, so that no test hangs.
LONGEST_SECONDS = 20.0

_OK = 200
_Reply: TypeAlias = "tuple[int, Any, Mapping[str, str]]"
_MISSING: _Reply = (404, {"detail": "Not Found"}, {})


@attrs.frozen
class Turn:
    """How one submitted rollout goes.

    Attributes:
        reward: Its score.
        status: The word of the container for how it ended.
        record: Fields of its record besides, or instead of those above.
        http_status: The status of the answer; with another than 200 the body is ``body``.
        headers: Further headers of the answer.
        body: What is answered instead of a record: JSON, or bytes as they are.
        held: It does not end before `ScriptedContainer.release` is called.
        broken: The connection is closed in the middle of the answer.
        polls: How often an asynchronous one is still running when it is looked at.
    """

    reward: float = 1.0
    status: str = "completed"
    record: Mapping[str, Any] = attrs.field(factory=dict)
    http_status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: Any = None
    held: bool = False
    broken: bool = False
    polls: int = 1


@attrs.frozen
class Asked:
    """One request that it was asked.

    Attributes:
        method: ``GET`` or ``POST``.
        path: The path.
        headers: The headers, their names in lower case.
        body: The body as JSON, where there was one.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None


Script: TypeAlias = "Callable[[Mapping[str, Any]], Turn]"


class ScriptedContainer:
    """Serves from the moment that it is made until `close`; a context manager.

    Args:
        turns: How the rollouts go, in the order in which they come; the last one stands for all that follow.
            Or a function of the request's body.
        routes: Which set of routes it serves.
        texts: Component name to seed text.
        overrides: Path to a reply, ``(status, JSON or bytes, headers)``, that is given instead.
        can_poll: Whether a rollout can be asked for again by its id.
    """

    def __init__(
        self,
        turns: Sequence[Turn] | Script = (Turn(),),
        *,
        routes: Literal["taskset", "dataset"] = "taskset",
        texts: Mapping[str, str] = TEXTS,
        overrides: Mapping[str, _Reply] | None = None,
        can_poll: bool = True,
    ) -> None:
        self._turns = turns
        self._routes = routes
        self._texts = dict(texts)
        self.overrides = dict(overrides or {})
        self._can_poll = can_poll
        self._lock = threading.Condition()
        self._released = False
        self._asked: list[Asked] = []
        self._running: dict[str, tuple[Turn, int]] = {}
        self._submitted = self._under_way = self._most = 0
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name="scripted-container"
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def most_at_once(self) -> int:
        """How many submissions were under way at once, at most."""
        with self._lock:
            return self._most

    def asked(self, path: str | None = None) -> list[Asked]:
        """Give what it was asked so far, in the order in which it came.

        Args:
            path: Only what was asked there; ``*`` at its end stands for any rest.
        """
        with self._lock:
            return [each for each in self._asked if path is None or _is_at(each, path)]

    def wait_for(self, path: str, count: int = 1) -> bool:
        """Wait, within a bound, until it was asked so often; not on the event loop of who is to ask."""

        def often_enough() -> bool:
            return sum(_is_at(each, path) for each in self._asked) >= count

        with self._lock:
            return self._lock.wait_for(often_enough, timeout=LONGEST_SECONDS)

    def release(self) -> None:
        """Let all that is held go on, now and from now on."""
        with self._lock:
            self._released = True
            self._lock.notify_all()

    def close(self) -> None:
        """Let everything go and stop serving; may be repeated."""
        self.release()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(LONGEST_SECONDS)
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- what follows is called by the server's threads

    def reply(self, asked: Asked) -> _Reply | None:
        """Answer a request; ``None`` to break the connection."""
        with self._lock:
            self._asked.append(asked)
            self._lock.notify_all()
        if asked.path in self.overrides:
            return self.overrides[asked.path]
        if asked.method == "GET":
            return self._tell(asked.path)
        if asked.path in {"/taskset/tasks", "/dataset/rows"}:
            return self._rows(asked.path, asked.body)
        if asked.path in {"/rollouts", "/rollout"}:
            return self._submit(asked.body)
        if asked.path.endswith("/terminate"):
            return self._terminate(asked.path.split("/")[2])
        return _MISSING

    def _tell(self, path: str) -> _Reply:
        known = {
            "/health": {"status": "ok"},
            "/metadata": self._metadata(),
            "/info": self._metadata(),
            "/task_info": {"task": {"name": "scripted"}},
            "/program": self._program(),
        }
        if path in known:
            return 200, known[path], {}
        if path.startswith("/rollouts/") and self._can_poll:
            return self._look(path.removesuffix("/state").split("/")[2], whole=not path.endswith("/state"))
        return _MISSING

    def _metadata(self) -> Any:
        rows = {
            "taskset": {"taskset_route": "/taskset", "taskset_tasks_route": "/taskset/tasks"},
            "dataset": {"dataset_route": "/dataset", "dataset_rows_route": "/dataset/rows"},
        }[self._routes]
        contract = {"version": VERSION, "program_route": "/program", "rollout_route": "/rollouts"}
        modes = ["sync", "async"] if self._can_poll else ["sync"]
        return {
            "runtime": {"name": "scripted"},
            "capabilities": {"rollout_modes": modes},
            "metadata": {"optimizer_contracts": {"gepa": {**contract, **rows}}},
        }

    def _program(self) -> Any:
        modules = [
            {"module_id": name, "role": "system", "content": text, "mutable": True, "candidate_field": name}
            for name, text in self._texts.items()
        ]
        targets = [{"module_id": name, "candidate_field": name} for name in self._texts]
        return {
            "version": "prompt_program.v1",
            "program_id": "scripted",
            "modules": modules,
            "target_modules": targets,
            "seed_candidate": self._texts,
            "metadata": {"task_id": "scripted-task"},
        }

    def _rows(self, path: str, body: Any) -> _Reply:
        served = "/taskset/tasks" if self._routes == "taskset" else "/dataset/rows"
        if path != served:
            return _MISSING
        if self._routes == "taskset":
            return (
                200,
                {"tasks": [{"task_id": name, "query": f"query {name}"} for name in body["task_ids"]]},
                {},
            )
        return 200, {"rows": [{"seed": seed, "query": f"query {seed}"} for seed in body["seeds"]]}, {}

    def _submit(self, body: Any) -> _Reply | None:
        with self._lock:
            turn = self._turn(body)
            self._submitted += 1
            self._under_way += 1
            self._most = max(self._most, self._under_way)
        try:
            return self._run(turn, body)
        finally:
            with self._lock:
                self._under_way -= 1

    def _turn(self, body: Any) -> Turn:
        if callable(self._turns):
            return self._turns(body)
        return self._turns[min(self._submitted, len(self._turns) - 1)]

    def _run(self, turn: Turn, body: Any) -> _Reply | None:
        if body.get("submission_mode") == "async" and turn.http_status == _OK and turn.body is None:
            with self._lock:
                self._running[body["rollout_id"]] = (turn, turn.polls)
            return 200, {"rollout_id": body["rollout_id"], "status": "queued"}, {}
        if turn.held:
            self._hold()
        if turn.broken:
            return None
        with self._lock:
            self._running[body["rollout_id"]] = (turn, 0)
        given = _record(body["rollout_id"], turn) if turn.body is None else turn.body
        return turn.http_status, given, turn.headers

    def _hold(self) -> None:
        with self._lock:
            self._lock.wait_for(lambda: self._released, timeout=LONGEST_SECONDS)

    def _look(self, rollout_id: str, *, whole: bool) -> _Reply:
        with self._lock:
            if rollout_id not in self._running:
                return _MISSING
            turn, polls = self._running[rollout_id]
            if polls > 0 or (turn.held and not self._released):
                self._running[rollout_id] = (turn, polls - 1)
                return 200, {"rollout_id": rollout_id, "status": "running"}, {}
        record = _record(rollout_id, turn)
        return 200, record if whole else {"rollout_id": rollout_id, "status": record["status"]}, {}

    def _terminate(self, rollout_id: str) -> _Reply:
        with self._lock:
            self._running.pop(rollout_id, None)
        return 200, {"rollout_id": rollout_id, "status": "terminated"}, {}


def _is_at(asked: Asked, path: str) -> bool:
    return asked.path.startswith(path[:-1]) if path.endswith("*") else asked.path == path


def _record(rollout_id: str, turn: Turn) -> dict[str, Any]:
    record = {"rollout_id": rollout_id, "status": turn.status, "reward_info": {"outcome_reward": turn.reward}}
    return {**record, **turn.record}


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, container: ScriptedContainer) -> None:
        self.container = container
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away: many tests are about that."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # A connection that nobody uses any more does not keep its thread for long.
    timeout = 1.0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base's
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = self.path.partition("?")[0]
        reply = self.server.container.reply(Asked(self.command, path, headers, body))
        if reply is None:
            self.close_connection = True
            return
        self._send(*reply)

    def _send(self, status: int, value: Any, headers: Mapping[str, str]) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"content-type": "application/json", **headers}.items():
            self.send_header(name, text)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
