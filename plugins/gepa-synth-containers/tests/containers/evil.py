"""A bare ASGI container that answers a rollout as the candidate's text says, mostly against the contract."""

from __future__ import annotations

import json

CONTRACT = {
    "version": "synth_optimizers.gepa.v2",
    "program_route": "/program",
    "taskset_route": "/taskset",
    "taskset_tasks_route": "/taskset/tasks",
    "rollout_route": "/rollouts",
}
CAPABILITIES = {"rollout_modes": ["blocking", "async"]}


def _record(body, **changes):
    good = {
        "rollout_id": body.get("rollout_id"),
        "status": "completed",
        "reward_info": {"outcome_reward": 1.0},
    }
    return {**good, **changes}


RECORDS = {
    "array": lambda _: [1],
    "bad_cost": lambda body: _record(body, usage={"cost_usd": -1}),
    "bad_objectives": lambda body: _record(body, objective_scores=[{"objective": "a", "value": "high"}]),
    "bad_tokens": lambda body: _record(body, usage={"prompt_tokens": 1.5}),
    "boolean_reward": lambda body: _record(body, reward_info={"outcome_reward": True}),
    "double_objectives": lambda body: _record(body, objective_scores=[{"objective": "a", "value": 1}] * 2),
    "empty": lambda _: None,
    "failed": lambda body: _record(
        body, status="failed", status_detail="env crashed", error={"code": "env_crash", "retryable": True}
    ),
    "failed_and_scored": lambda body: _record(
        body, status="failed", status_detail="out of memory", usage={"cost_usd": 2}
    ),
    "good": _record,
    "long_code": lambda body: _record(body, status="failed", error={"code": "c" * 10_000}),
    "missing_reward": lambda body: _record(body, reward_info={}, status_detail="the judge was out"),
    "objectives_object": lambda body: _record(body, objective_scores={"a": 1}),
    "unknown_status": lambda body: _record(body, status="pondering"),
    "wrong_rollout": lambda body: _record(body, rollout_id="another"),
}
BODIES = {
    "busy": (429, b'{"detail": "slow down"}', [(b"retry-after", b"3")]),
    "echo": (500, None, []),
    "html": (500, b"<html>Internal Server Error</html>", []),
    "huge": (200, b"[" + b"1," * 200_000 + b"1]", []),
    "marked": (409, b'{"detail": {"retryable": true}}', []),
    "nan": (200, b'{"status": "completed", "reward": NaN}', []),
    "overloaded": (529, b"{}", []),
    "refused": (422, b'{"detail": "no"}', []),
    "unavailable": (503, b"{}", []),
}


async def _send(send, status, body, headers=()):
    headers = [(b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive):
    data, more = b"", True
    while more:
        message = await receive()
        data, more = data + message.get("body", b""), message.get("more_body", False)
    return data


async def _until_gone(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


class Evil:
    """The application; what it was asked is in `seen`, and what polls answer is taken from `states`."""

    def __init__(self, **metadata):
        self.seen = []
        self.headers = []
        self.states = []
        self.rows = {"tasks": []}
        self.program = {"version": "prompt_program.v1"}
        self.metadata = {
            "capabilities": CAPABILITIES,
            "metadata": {"optimizer_contracts": {"gepa": CONTRACT}},
            **metadata,
        }

    async def __call__(self, scope, receive, send):
        data = await _body(receive)
        self.seen.append((scope["method"], scope["path"], json.loads(data) if data else None))
        self.headers.append(dict(scope["headers"]))
        if scope["method"] == "GET":
            await self._get(scope["path"], send)
        elif scope["path"] == "/rollouts":
            await self._rollout(json.loads(data), receive, send)
        else:
            found = {"/taskset/tasks": self.rows}.get(scope["path"], {})
            await _send(send, 200, json.dumps(found).encode())

    async def _get(self, path, send):
        answers = {"/metadata": self.metadata, "/program": self.program, "/health": {}}
        if path.startswith("/rollouts/"):
            status, value = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            await _send(send, status, json.dumps(value).encode())
        elif path in answers:
            await _send(send, 200, json.dumps(answers[path]).encode())
        else:
            await _send(send, 404, b'{"detail":"Not Found"}')

    async def _rollout(self, body, receive, send):
        how = body["candidate"]["m"]
        if how == "hang":
            await _until_gone(receive)
        elif how == "async":
            await _send(send, 200, json.dumps(_record(body, status="running", reward_info={})).encode())
        elif how in BODIES:
            status, data, headers = BODIES[how]
            await _send(
                send, status, json.dumps(str(self.headers)).encode() if data is None else data, headers
            )
        else:
            await _send(send, 200, json.dumps(RECORDS[how](body)).encode())
