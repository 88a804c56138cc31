from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
import pytest

from gepa_framework.errors import RunFailedError
from gepa_framework.testing.fakes import SkillTask

BEARS = 4
TASK = SkillTask()
PROGRAM = {
    "version": "prompt_program.v1",
    "program_id": "skills",
    "modules": [
        {"module_id": "m", "role": "system", "content": "x", "mutable": True, "candidate_field": "skills"}
    ],
    "target_modules": [{"module_id": "m", "candidate_field": "skills"}],
    "seed_candidate": {"skills": " ".join("0" * TASK.topics)},
}
CONTRACT = {
    "version": "synth_optimizers.gepa.v2",
    "program_route": "/program",
    "dataset_route": "/dataset",
    "dataset_rows_route": "/dataset/rows",
    "rollout_route": "/rollout",
}
Answer = tuple[int, dict[str, Any]]


@attrs.define
class Service:
    """A container that bears so many rollouts at once and turns the others away.

    A rollout ends when as many are under way as it bears, or when no other has come for a moment: so that
    whoever sends more than that is refused, however busy the machine is.
    """

    bears: int = BEARS
    status: int = 429
    headers: dict[str, str] = attrs.field(factory=dict)
    under_way: int = 0
    most: int = 0
    served: int = 0
    refused: list[int] = attrs.field(factory=list)
    refused_at: float = 0.0
    came: list[float] = attrs.field(factory=list)
    changed: threading.Condition = attrs.field(factory=threading.Condition)

    def rollout(self, body: dict[str, Any]) -> Answer:
        with self.changed:
            self.came.append(time.monotonic())
            if self.under_way >= self.bears:
                self.refused_at = self.came[-1]
                self.refused.append(self.served)
                return self.status, {"detail": "too many at once"}
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.under_way > self.bears, 0.005)
            self.under_way -= 1
            self.served += 1
        row = TASK.row(body["dataset_row"]["split"], body["dataset_row"]["seed"])
        result = TASK.solve(body["candidate"]["skills"], row)
        return 200, {
            "rollout_id": body["rollout_id"],
            "status": "completed",
            "reward_info": {"outcome_reward": result.reward},
        }


class Handler(BaseHTTPRequestHandler):
    """Speaks the contract for a service."""

    protocol_version = "HTTP/1.1"
    service: Service

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        answers: dict[str, dict[str, Any]] = {
            "/health": {"status": "ok"},
            "/metadata": {"metadata": {"optimizer_contracts": {"gepa": CONTRACT}}},
            "/program": PROGRAM,
        }
        found = answers.get(self.path)
        self.send(404 if found is None else 200, found or {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/rollout":
            self.send(*self.service.rollout(body))
            return
        rows = [TASK.row(body["split"], seed) for seed in body["seeds"]]
        self.send(
            200,
            {
                "rows": [
                    {"example_id": row.id, "seed": row.seed, "split": row.split, **row.data} for row in rows
                ]
            },
        )

    def send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        for name, value in self.service.headers.items() if status == self.service.status else ():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def serve() -> Iterator[Callable[[Service], str]]:
    """Serve a service on a free loopback port and give the container's keys."""
    running: list[ThreadingHTTPServer] = []

    def start(service: Service) -> str:
        handler = type("Handler", (Handler,), {"service": service})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return f'url = "http://127.0.0.1:{server.server_address[1]}"'

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def pace(workers: int = 16, adaptive: str = "") -> str:
    return (
        f"[gepa.pipeline.workers]\nrollout = {workers}\n"
        f"[gepa.pipeline.adaptive_rollout_concurrency]\n{adaptive}"
    )


def drive(project: Any, container: str, run_id: str, *, gepa: str = "", more: str = "") -> Any:
    gepa = f"max_rollout_attempts = 1\n{gepa}"
    run = project.run(run_id, transport="synth_containers", container=container, gepa=gepa, more=more)
    return run.execute()


@pytest.mark.parametrize("status", [429, 503, 529])
def test_an_overload_slows_a_run_and_fails_no_rollout(project, serve, status):
    """Although one attempt is all that a rollout has."""
    calm, loaded = Service(bears=1000), Service(status=status)
    drive(project, serve(calm), "calm", more=pace())
    result = drive(project, serve(loaded), "loaded", more=pace())
    assert loaded.refused, "it was overloaded"
    assert loaded.most == BEARS, "and what it bears was made use of"
    assert (result.status, result.failed_rollouts) == ("finished", 0)
    assert loaded.served == result.rollouts
    assert project.normalised("loaded") == project.normalised("calm")
    with closing(sqlite3.connect(project.directory("loaded") / "workspace.sqlite")) as database:
        ((attempts,),) = database.execute("SELECT count(*) FROM attempts").fetchall()
    assert attempts == len(loaded.refused)


def test_the_number_of_rollouts_settles_near_what_the_container_bears(project, serve):
    service = Service()
    drive(project, serve(service), "r1", more=pace(64))
    late = [at for at in service.refused if at >= service.served // 2]
    assert len(late) <= (service.served - service.served // 2) / 4


def test_what_is_configured_as_no_overload_is_a_failure_like_any_other(project, serve):
    with pytest.raises(RunFailedError, match="http_429"):
        drive(project, serve(Service(bears=1)), "r1", more=pace(adaptive="overload_status_codes = [503]"))


def test_where_nothing_adapts_an_overload_is_a_failure_like_any_other(project, serve):
    with pytest.raises(RunFailedError, match="http_429"):
        drive(project, serve(Service(bears=1)), "r1", more=pace(adaptive="enabled = false"))


def test_a_storm_that_does_not_end_is_a_failure_when_patience_is_at_its_end(project, serve):
    service = Service(bears=0)
    with pytest.raises(RunFailedError, match="http_429"):
        drive(project, serve(service), "r1", gepa="rollout_async_timeout_seconds = 0.3", more=pace(2))
    assert len(service.refused) > 8, "it was tried for a while"


def test_a_container_that_asks_for_patience_is_left_alone_by_everybody(project, serve, caplog):
    service = Service(bears=1, headers={"retry-after": "1"})
    more = pace(2, "increase_after_successes = 1000")
    assert drive(project, serve(service), "r1", more=more).failed_rollouts == 0
    assert len(service.refused) == 1
    after = [at - service.refused_at for at in service.came if at > service.refused_at]
    assert sum(at < 0.9 for at in after) <= 1, "no more than what was on its way already"
    told = [record.getMessage() for record in caplog.records]
    assert "the container asks for 1 s of patience: no rollout is sent" in told
    assert "the container is overloaded (http_429): rollouts at once are now 1 instead of 2" in told
