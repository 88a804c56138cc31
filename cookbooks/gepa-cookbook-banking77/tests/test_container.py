from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from gepa_cookbook_banking77.container import main

MODULE = (sys.executable, "-m", "gepa_cookbook_banking77.container")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def wait_for_health(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError("the container did not become healthy")


def serve_and_stop(*arguments: str, **environ: str) -> tuple[int, str]:
    port = free_port()
    process = subprocess.Popen(
        [*MODULE, "--port", str(port), *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )
    try:
        wait_for_health(port, process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
        return process.returncode, said
    finally:
        process.kill()
        process.wait(timeout=20)


def test_the_command_serves_the_sample_says_so_and_stops_on_sigterm() -> None:
    code, said = serve_and_stop(GEPA_BANKING77_DIR="")
    assert "data: banking77-sample (written for this cookbook): 224 train, 112 test queries" in said
    assert "the real Banking77 is read from --data-dir or GEPA_BANKING77_DIR" in said
    assert "Traceback" not in said
    assert code in {0, -signal.SIGTERM}


def test_the_environment_names_the_data(real_dir: Path) -> None:
    _, said = serve_and_stop(GEPA_BANKING77_DIR=str(real_dir))
    assert f"data: banking77 ({real_dir.absolute()}): 10003 train, 3080 test queries, 77 intents" in said


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_wrong_data_stops_it_before_it_serves(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("GEPA_BANKING77_DIR", str(tmp_path) if by == "environment" else "")
    arguments = ["--data-dir", str(tmp_path)] if by == "argument" else []
    assert main(["--port", "1", *arguments]) == 5
    said = capsys.readouterr().err
    assert f"error: {tmp_path}/train.csv is missing" in said
    assert "data:" not in said


def test_a_port_is_asked_for(capsys: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "--port" in capsys.readouterr().err
