"""A container in nothing but the standard library, with the dataset routes. It can be told to misbehave.

The words of the command line say how: ``deaf`` ignores SIGTERM, ``litter`` leaves processes behind,
``mute`` never listens, ``boom`` ends at once, ``talk`` prints its environment, ``no-health`` has no /health.
The candidate text ``die`` ends it in the middle of a rollout.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PROGRAM = {
    "version": "prompt_program.v1",
    "program_id": "mini",
    "modules": [
        {"module_id": "m", "role": "system", "content": "x", "mutable": True, "candidate_field": "m"}
    ],
    "target_modules": [{"module_id": "m", "candidate_field": "m"}],
    "seed_candidate": {"m": "seed"},
}
CONTRACT = {
    "version": "synth_optimizers.gepa.v2",
    "program_route": "/program",
    "dataset_route": "/dataset",
    "dataset_rows_route": "/dataset/rows",
    "rollout_route": "/rollout",
}
#: What the request model of SDK 0.2.0 accepts; it forbids everything else.
ACCEPTED = {
    "rollout_id",
    "trace_correlation_id",
    "trial_id",
    "submission_mode",
    "run_id",
    "mode",
    "task_id",
    "task_instance_id",
    "task_metadata",
    "env",
    "policy",
    "candidate",
    "candidate_overlay",
    "dataset_row",
    "metadata",
    "checkpoint",
    "checkpoint_id",
    "checkpoint_data_base64",
    "target_rollout_id",
    "long_horizon",
    "terminator",
    "task_payload",
    "dataset",
    "actors",
    "actor_ids",
    "actor_overrides",
}
WORDS = set(sys.argv[1:])


def rollout(body):
    """Run a rollout, strictly."""
    unknown = sorted(set(body) - ACCEPTED)
    if unknown:
        return 422, {"detail": [{"type": "extra_forbidden", "loc": ["body", name]} for name in unknown]}
    if body["candidate"]["m"] == "die":
        os._exit(7)
    result = {"rollout_id": body["rollout_id"], "status": "completed", "reward_info": {"score": 1}}
    return 200, {**result, "summary": {"output": body["dataset_row"]}}


class Handler(BaseHTTPRequestHandler):
    """Serves the dataset contract."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def _send(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        """Answer what is asked about the task; `/metadata` has another name here."""
        answers = {
            "/health": {"status": "ok"},
            "/info": {"runtime": {"name": "mini"}, "metadata": {"optimizer_contracts": {"gepa": CONTRACT}}},
            "/program": PROGRAM,
        }
        if "no-health" in WORDS:
            del answers["/health"]
            answers["/metadata"] = answers["/info"]
        found = answers.get(self.path)
        self._send(404 if found is None else 200, found or {"detail": "Not Found"})

    def do_POST(self):
        """Answer rows and rollouts."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/dataset/rows":
            rows = [{"example_id": f"row-{seed}", "seed": seed, "label": "x"} for seed in body["seeds"]]
            self._send(200, {"rows": rows})
        elif self.path == "/rollout":
            self._send(*rollout(body))
        else:
            self._send(404, {"detail": "Not Found"})


def orphan(command):
    """Start a process whose parent ends at once, and give its id."""
    code = f"import subprocess; print(subprocess.Popen({command!r}, start_new_session=True, stdout=-3).pid)"
    return int(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout)


def misbehave():
    """Do what the command line says."""
    if "boom" in WORDS:
        sys.exit("the roof fell in")
    if "deaf" in WORDS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "talk" in WORDS:
        print(dict(os.environ), flush=True)
    if "litter" in WORDS:
        sleeper = [sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(300)"]
        left = [subprocess.Popen(sleeper, start_new_session=True).pid, orphan(sleeper)]
        Path("pids.json").write_text(json.dumps([os.getpid(), os.getppid(), *left]))
    if "mute" in WORDS:
        time.sleep(300)


if __name__ == "__main__":
    misbehave()
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
