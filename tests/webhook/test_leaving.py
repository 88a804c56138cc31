from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading

import pytest

from gepa_framework.builtin.webhook_courier import Courier
from gepa_framework.builtin.webhook_names import MOST_OPEN, Lookups

PATIENCE = 30
SCRIPT = """
import logging, socket, sys, threading
from pathlib import Path

from gepa_framework.builtin.webhook import gepa_make_listener
from gepa_framework.builtin.webhook_config import WebhookConfig
from gepa_framework.testing.samples import sample_body
from gepa_framework.types import BuildContext, Event

asked = threading.Event()

def silent(*_, **__):
    asked.set()
    threading.Event().wait()

socket.getaddrinfo = silent
base = Path(sys.argv[1])
context = BuildContext(
    run_id="r1", run_dir=base / "r1", base_dir=base, environ={"S": sys.argv[2]}, logger=logging.getLogger()
)
config = WebhookConfig(
    url="https://hooks.example/x", secret_env="S", timeout_seconds=600.0, close_seconds=0.05
)
listener = gepa_make_listener(config, context)
listener.on_event(Event(seq=1, elapsed_seconds=0.5, body=sample_body("gepa.run.finished")))
assert asked.wait(30)
listener.close()
assert [each.name for each in threading.enumerate() if each.name == "gepa-webhook"] == []
"""


def test_a_name_server_that_never_answers_does_not_keep_the_process(tmp_path, secret):
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), secret],
        env=os.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "1 of 1 events were not delivered to https://hooks.example (1 left)" in process.stderr


def test_no_more_than_a_few_questions_are_open_at_once():
    released = threading.Event()
    lookups = Lookups()
    try:
        futures = [lookups.submit(released.wait, PATIENCE) for _ in range(MOST_OPEN)]
        with pytest.raises(OSError, match="no name server answers"):
            lookups.submit(int)
    finally:
        released.set()
    assert [each.result(PATIENCE) for each in futures] == [True] * MOST_OPEN


def test_an_answer_and_an_error_both_come_back():
    lookups = Lookups()
    assert lookups.submit(int, "7").result(PATIENCE) == 7
    assert isinstance(lookups.submit(int, "x").exception(PATIENCE), ValueError)


def test_a_connection_that_cannot_be_closed_is_told_of_and_the_loop_is_closed(
    webhook, receiver, say, caplog, monkeypatch
):
    close = Courier.close

    async def broken(self):
        await close(self)
        raise RuntimeError("cannot be closed")

    monkeypatch.setattr(Courier, "close", broken)
    listener = webhook()
    say(listener, "gepa.run.finished")
    listener.close()
    assert listener._post._loop.is_closed()
    (told,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert told.getMessage() == f"nothing more is posted to {receiver.url[:-5]}"
