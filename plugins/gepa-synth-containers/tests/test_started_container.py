"""A container that is started by command lives as long as the transport, and not a moment longer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gepa_synth_containers
from gepa_framework.errors import ContainerGoneError, TransportError
from gepa_framework.types import RowsRequest
from gepa_synth_containers import warden

# The run that is killed: it starts a container by way of the transport, says so, and hangs.
PARENT = """
import asyncio, sys
from pathlib import Path
from gepa_framework.types import BuildContext
from gepa_synth_containers.config import SynthContainersConfig
from gepa_synth_containers.plugin import gepa_make_transport

async def main():
    here = Path(sys.argv[1])
    context = BuildContext(run_id="r", run_dir=here / "run", base_dir=here)
    config = SynthContainersConfig(command=tuple(sys.argv[2:]), shutdown_timeout_seconds=0.2)
    await gepa_make_transport(config, context).describe()
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def log_of(tmp_path):
    return (tmp_path / "run" / "container.log").read_text()


def test_the_sdk_container_is_started_on_a_free_port_and_stopped(make, containers, tmp_path):
    async def scenario():
        async with make(command=("{python}", "toy.py"), cwd=str(containers)) as transport:
            assert (await transport.describe()).name == "toy"

    asyncio.run(scenario())
    assert "Traceback" not in log_of(tmp_path)


def test_the_dataset_contract_of_the_older_sdk_is_spoken(make, mini, ask):
    async def scenario():
        async with make(command=mini()) as transport:
            info = await transport.describe()
            assert (info.name, info.contract) == ("mini", "synth_optimizers.gepa.v2/dataset")
            assert info.task == {}
            program = await transport.program()
            assert (program.task_id, dict(program.seed)) == ("mini", {"m": "seed"})
            by_seed = await transport.rows(RowsRequest("train", seeds=(5, 3)))
            by_id = await transport.rows(RowsRequest("train", ids=("5", "3")))
            assert [(row.id, row.seed) for row in by_seed] == [("5", 5), ("3", 3)]
            assert by_id == by_seed
            request = ask(row=by_seed[0], policy={"provider": "p", "model": "m", "policy_type": "dag"})
            outcome = await transport.rollout(request)
            assert (outcome.reward, outcome.output["example_id"]) == (1.0, "row-5")

    asyncio.run(scenario())


def test_placeholders_are_filled_and_the_port_is_also_in_the_environment(make, mini, tmp_path):
    async def scenario():
        words = ("talk", "port={port}", "host={host}", '{"json": 1}')
        async with make(url="http://localhost:{port}", command=mini(*words)) as transport:
            await transport.describe()
        return next(
            json.loads(line.replace("'", '"')) for line in log_of(tmp_path).splitlines() if "PORT" in line
        )["PORT"]

    assert asyncio.run(scenario()).isdigit()


def test_everything_that_the_container_left_behind_is_stopped_with_it(make, mini, tmp_path, processes):
    async def scenario():
        async with make(command=mini("litter", "deaf"), shutdown_timeout_seconds=0.2) as transport:
            await transport.describe()
            assert all(map(processes.is_alive, json.loads((tmp_path / "pids.json").read_text())))
            started = time.monotonic()
        assert time.monotonic() - started < 4

    asyncio.run(scenario())
    assert processes.left_of(tmp_path / "pids.json", seconds=0.0) == []


@pytest.mark.parametrize("word", ["litter", "mute"])
def test_killing_the_run_leaves_nothing_of_its_container(tmp_path, mini, processes, word):
    command = [part.replace("{python}", sys.executable) for part in mini("litter", "deaf", word)]
    source = str(Path(gepa_synth_containers.__file__).parents[1])
    run = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), *command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if word == "mute":  # killed while it is still waiting for its container
            deadline = time.monotonic() + 20
            while not (tmp_path / "pids.json").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
        else:
            assert run.stdout.readline() == "ready\n"
    finally:
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=10)
    assert processes.left_of(tmp_path / "pids.json") == []


def test_killing_the_warden_ends_the_container(make, mini, tmp_path, processes):
    async def scenario():
        async with make(command=mini("litter")) as transport:
            await transport.describe()
            container, guard, *_ = json.loads((tmp_path / "pids.json").read_text())
            os.kill(guard, signal.SIGKILL)
            (tmp_path / "one.json").write_text(json.dumps([container, guard]))
            # The two that it left behind have nobody to stop them now.
            for pid in json.loads((tmp_path / "pids.json").read_text())[2:]:
                os.kill(pid, signal.SIGKILL)
            left = await asyncio.to_thread(processes.left_of, tmp_path / "one.json")
            assert left == []

    asyncio.run(scenario())


def failure_of(make, **config):
    async def scenario():
        async with make(**config) as transport:
            with pytest.raises(TransportError) as caught:
                await transport.describe()
            return str(caught.value)

    started = time.monotonic()
    message = asyncio.run(scenario())
    assert time.monotonic() - started < 10
    return message


def test_a_program_that_does_not_exist_is_named(make):
    message = failure_of(make, command=("no-such-program-here",))
    assert "ended with exit code 127" in message
    assert "cannot start 'no-such-program-here'" in message


def test_a_directory_that_does_not_exist_is_named(make, mini, tmp_path):
    assert str(tmp_path / "nowhere") in failure_of(make, command=mini(), cwd="nowhere")


def test_a_container_that_ends_at_once_is_reported_at_once_with_its_last_words(make, mini):
    message = failure_of(make, command=mini("boom"))
    assert "ended with exit code 1" in message
    assert "the roof fell in" in message


def test_only_the_words_of_this_start_are_reported(make, mini, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "container.log").write_text("words of another day\n")
    assert "another day" not in failure_of(make, command=mini("boom"))
    assert log_of(tmp_path) == "words of another day\nthe roof fell in\n"


def test_a_container_that_never_answers_is_given_up_in_time(make, mini):
    message = failure_of(
        make, command=mini("mute"), startup_timeout_seconds=0.3, shutdown_timeout_seconds=0.2
    )
    assert "was not ready within 0.3 s" in message
    assert "cannot connect" in message
    assert "startup_timeout_seconds" in message


def test_a_container_without_a_health_route_is_ready_when_its_metadata_answers(make, mini):
    async def scenario():
        async with make(command=mini("no-health")) as transport:
            assert (await transport.describe()).name == "mini"

    asyncio.run(scenario())


def test_a_port_that_is_taken_is_not_mistaken_for_the_container(make, mini, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        message = failure_of(make, url=url, command=mini())
    assert "another process listens on" in message
    assert "drop 'command'" in message
    assert not (tmp_path / "run" / "container.log").exists()


def test_a_container_that_dies_in_the_middle_is_gone_and_no_failure_of_a_row(make, mini, ask, tmp_path):
    async def scenario():
        async with make(command=mini()) as transport:
            for text in ("die", "anything"):
                with pytest.raises(ContainerGoneError, match="ended with exit code 7") as caught:
                    await transport.rollout(ask(text))
                assert "container.log" in caught.value.hint
                assert str(tmp_path) not in str(caught.value)

    asyncio.run(scenario())


def test_a_container_that_does_not_start_again_is_gone(make, ask):
    async def scenario():
        async with make(command=["/nowhere/container"]) as transport:
            await transport.rollout(ask("anything"))

    with pytest.raises(ContainerGoneError, match="/nowhere/container"):
        asyncio.run(scenario())


def test_closing_while_the_container_starts_stops_it(make, mini, tmp_path, processes):
    async def scenario():
        async with make(command=mini("litter", "mute"), shutdown_timeout_seconds=0.2) as transport:
            opening = asyncio.create_task(transport.describe())
            while not (tmp_path / "pids.json").exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.01)
            await transport.close()
            with pytest.raises(asyncio.CancelledError):
                await opening

    asyncio.run(scenario())
    assert processes.left_of(tmp_path / "pids.json", seconds=0.0) == []


def test_secrets_of_the_environment_stay_out_of_the_log(make, mini, tmp_path, monkeypatch):
    monkeypatch.setenv("CANARY_API_KEY", "canary-value-1")

    async def scenario():
        environ = {"CANARY_API_KEY": "canary-value-1", "CANARY_PLAIN": "plain-value-1"}
        async with make(command=mini("talk"), environ=environ) as transport:
            await transport.describe()

    asyncio.run(scenario())
    assert "plain-value-1" in log_of(tmp_path)
    assert "'CANARY_API_KEY': '[redacted]'" in log_of(tmp_path)
    assert "canary-value-1" not in log_of(tmp_path)


def test_the_log_keeps_its_latest_part_and_cuts_no_secret_in_two(tmp_path):
    path = tmp_path / "log"
    log = warden.Log(path, ["secret-word"], limit=100)
    for number in range(30):
        log.feed(f"line {number} sec".encode())
        log.feed(b"ret-word\n")
    log.feed(b"the last sec")
    log.close()
    kept = Path(f"{path}.1").read_text() + path.read_text()
    assert kept.endswith("line 29 [redacted]\nthe last sec")
    assert "secret-word" not in kept
    assert len(kept) <= 200


def test_a_line_without_an_end_is_written_all_the_same(tmp_path):
    log = warden.Log(tmp_path / "log", [])
    log.feed(b"x" * 70_000)
    written = (tmp_path / "log").stat().st_size
    log.close()
    assert written == 70_000
