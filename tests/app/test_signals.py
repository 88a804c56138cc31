from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from gepa_framework import GepaRun
from gepa_framework.errors import GepaError

_RUN = """
import sys
sys.path[:0] = [{site!r}, {distributions!r}]
from gepa_framework import GepaRun
from gepa_framework.errors import InterruptedRunError

class Say:
    def on_event(self, event):
        print(event.type, flush=True)
    def close(self): ...

try:
    GepaRun.from_toml({config!r}, environ={{}}).execute(
        listeners=[Say()], handle_signals=True, on_interrupt=lambda: print("asked to stop", flush=True)
    )
except InterruptedRunError as error:
    print("interrupted:", error, flush=True)
    sys.exit(130)
"""
_SLUGGISH = """
import asyncio, os, subprocess, sys
from gepa_framework.testing.fakes import FakeTransport
class Sluggish(FakeTransport):
    child = None
    async def describe(self):
        self.child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (self.base / "child").write_text(str(self.child.pid))
        return await super().describe()
    async def rollout(self, request):
        await asyncio.sleep(600)
    async def close(self):
        if self.child:
            self.child.kill()
            self.child.wait()
def make(context):
    made = Sluggish()
    made.base = context.base_dir
    return made
"""


class Running:
    """A run in a process of its own, whose events are read as they come."""

    def __init__(self, project, distributions, **options):
        config = project.write(**options)
        code = _RUN.format(site=str(project.site), distributions=str(distributions), config=str(config))
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def until(self, line):
        for said in self.process.stdout:
            if said.strip() == line:
                return
        raise AssertionError(f"{line!r} never came: {self.process.stderr.read()}")

    def end(self):
        out, err = self.process.communicate(timeout=50)
        return self.process.returncode, out, err


@pytest.fixture
def running(project, distributions):
    begun = []

    def running(**options):
        begun.append(Running(project, distributions, **options))
        return begun[-1]

    yield running
    for each in begun:
        each.process.kill()
        each.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_a_run_that_can_be_gone_on_with(project, running, number):
    run = running(container="delay_seconds = 0.02")
    run.until("iteration.started")
    run.process.send_signal(number)
    code, out, err = run.end()
    assert code == 130, err
    assert "asked to stop" in out
    assert f"interrupted: the run was interrupted; gepa resume {project.directory()}" in out
    assert project.read("result_manifest.json")["status"] == "interrupted"
    assert GepaRun.resume(project.directory()).execute().status == "finished"
    project.run("whole", container="").execute()
    assert project.normalised() == project.normalised("whole")


def test_a_second_signal_stops_at_once_and_leaves_nothing_running(project, running):
    project.offer("transport", "sluggish", _SLUGGISH)
    run = running(transport="sluggish", container="")
    run.until("candidate.registered")
    run.process.send_signal(signal.SIGINT)
    run.until("asked to stop")
    run.process.send_signal(signal.SIGINT)
    code, out, err = run.end()
    assert code == 130, err
    assert "interrupted: the run was stopped at once; gepa resume" in out
    manifest = project.read("result_manifest.json")
    assert (manifest["status"], manifest["rollouts"]) == ("interrupted", 0)
    with pytest.raises(ProcessLookupError):
        os.kill(int((project.path / "child").read_text()), 0)


def test_a_killed_run_can_be_gone_on_with(project, running):
    run = running(container='delay_seconds = 0.02\nlog = "asked.log"')
    run.until("candidate.accepted")
    run.process.kill()
    assert run.end()[0] == -signal.SIGKILL
    assert GepaRun.resume(project.directory()).execute().status == "finished"
    project.run("whole", container="").execute()
    assert project.normalised() == project.normalised("whole")


def test_handlers_of_signals_are_put_back(project):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    project.run().execute(handle_signals=True)
    assert {number: signal.getsignal(number) for number in before} == before


def test_a_run_that_is_not_asked_to_leaves_signals_alone(project, at):
    listener = at("iteration.started", 1, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        project.run().execute(listeners=[listener])
    assert GepaRun.resume(project.directory()).execute().status == "finished"


def test_signals_that_cannot_be_handled_are_refused_before_anything_is_begun(project):
    async def main():
        project.run().execute(handle_signals=True)

    with pytest.raises(GepaError, match="leave handle_signals out"):
        asyncio.run(main())
    assert not project.directory().exists()


def test_a_run_is_executed_from_within_a_running_loop(project):
    async def main():
        return project.run().execute()

    assert asyncio.run(main()).status == "finished"
