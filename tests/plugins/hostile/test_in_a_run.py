"""What is bad while a run goes on: whose fault it is, what becomes of the run, and that nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest
from tests.plugins.hostile.hostile_cases import owner_of

from gepa_framework.app import closing, session

BROKEN = "gepa_plugin_broken"
LISTENER = '[[listeners]]\nuse = "{}"\non_error = "{}"\n[[listeners]]\nuse = "jsonl"\n'
STOPPER = '[[stoppers]]\nuse = "{}"'
EXECUTOR = '[executor]\nuse = "{}"'
STORE = '[store]\nuse = "{}"'


@pytest.fixture
def selected(yard):
    """Give a function that installs a bad plugin and selects it."""

    def select(slug, table="", **chosen):
        yard.offer(slug)
        kind = slug.partition("_")[0]
        if kind in ("proposer", "transport"):
            chosen[kind] = slug
        if kind == "cache":
            chosen |= {"cache": slug, "mode": "readwrite"}
        yard.config(table.format(slug, "warn") if table else "", **chosen)
        return yard

    return select


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch):
    """Fail where a thread outlives the run."""
    monkeypatch.setattr(closing, "LEAVING_SECONDS", 0.2)
    monkeypatch.setattr(closing, "CLOSING_SECONDS", 0.2)
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    assert not left


#: Name, table, exit code, error code, what is said, the cure.
FATAL = [
    ("stopper_raises", STOPPER, 4, BROKEN, "raised ZeroDivisionError: ", "mend it and resume"),
    ("stopper_exits", STOPPER, 4, BROKEN, "raised SystemExit: 5", "mend it and resume"),
    ("stopper_cancels", STOPPER, 4, BROKEN, "raised CancelledError: ", "mend it and resume"),
    ("stopper_other", STOPPER, 4, BROKEN, "gave bool", "return a StopReason or None"),
    ("stopper_awaits", STOPPER, 4, BROKEN, "gave coroutine", "return a StopReason or None"),
    ("transport_describe", "", 4, BROKEN, "raised ValueError: who wants to know?", "report it to its auth"),
    ("transport_other", "", 4, BROKEN, "gave dict where TaskRow was due", "report it to its authors"),
    ("transport_program", "", 4, BROKEN, "gave NoneType where Program was due", "report it to its authors"),
    ("transport_raises", "", 1, "gepa_run_failed", "raised ValueError: no ", ""),
    ("proposer_raises", "", 1, "gepa_run_failed", "raised ValueError: out of ideas", ""),
    ("proposer_exits", "", 1, "gepa_run_failed", "tried to end the process: SystemExit: out of ideas", ""),
    ("proposer_other", "", 1, "gepa_run_failed", "gave dict where Proposal was due", ""),
    ("proposer_sync", "", 1, "gepa_run_failed", "gave Proposal at once", "async def"),
    ("cache_raises", "", 4, BROKEN, "raised ValueError: where did I put it?", "report it to its authors"),
    ("cache_other", "", 4, BROKEN, "gave dict where bytes or None was due", "report it to its authors"),
    ("cache_loses", "", 4, BROKEN, "raised OSError: not my disk", "report it to its authors"),
    ("executor_none", EXECUTOR, 4, BROKEN, "gave NoneType and not what the call gave", "its authors"),
    ("executor_raises", EXECUTOR, 4, BROKEN, "raised ValueError: closed on Mondays", "its authors"),
    ("store_raises", STORE, 4, BROKEN, "append raised ValueError: no more ink", "mend it and resume"),
]  # fmt: skip


@pytest.mark.parametrize("case", FATAL, ids=[case[0] for case in FATAL])
def test_a_run_that_cannot_go_on_says_whose_fault_it_is(selected, case):
    slug, table, exit_code, code, said, cure = case
    yard = selected(slug, table)
    got, error = yard.failure("run", "--config", "gepa.toml", "--display", "none")
    assert (got, error["error_code"]) == (exit_code, code), error
    told = error["message"] + error["hint"]
    assert owner_of(slug) in told
    assert said in error["message"]
    assert cure in told


#: Name, table, and what the warning says.
SURVIVED = [
    ("listener_raises", LISTENER, "raised ValueError: no gepa.run.started, please; the run goes on"),
    ("listener_exits", LISTENER, "raised SystemExit: enough of gepa.run.started; the run goes on"),
    ("listener_cancels", LISTENER, "raised CancelledError: ; the run goes on"),
    ("proposer_leaks", "", "left 3 tasks that do not end although they were stopped"),
    ("proposer_clings", "", "did not close: TimeoutError: it takes longer than 0.2 s"),
    ("cache_closes", "", "did not close: SystemExit: not yet"),
]


@pytest.mark.parametrize(("slug", "table", "said"), SURVIVED, ids=[case[0] for case in SURVIVED])
def test_a_run_that_goes_on_says_whom_it_goes_on_without(selected, slug, table, said):
    yard = selected(slug, table)
    done = yard.gepa("run", "--config", "gepa.toml", "--display", "none")
    assert done.exit_code == 0, done.stderr
    (warning, *more) = [line for line in done.stderr.splitlines() if owner_of(slug) in line]
    assert said in warning
    assert len(more) <= 1
    _is_whole(yard)


def test_who_keeps_the_thread_is_named_while_it_does(selected, monkeypatch):
    monkeypatch.setattr(session, "STANDSTILL_SECONDS", 0.05)
    yard = selected("listener_keeps", LISTENER)
    done = yard.gepa("run", "--config", "gepa.toml", "--display", "none")
    assert done.exit_code == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "nothing has moved" in line]
    assert f"nothing has moved for 0.05 s: {owner_of('listener_keeps')} does not give the thread b" in said[0]
    # It goes on as soon as it has heard of itself.
    assert "threading.py" in said[0]
    _is_whole(yard)


@pytest.mark.parametrize("slug", ["listener_raises", "listener_exits", "listener_cancels"])
def test_a_listener_stops_the_run_only_if_it_was_told_to(selected, slug):
    yard = selected(slug)
    yard.config(LISTENER.format(slug, "stop"))
    exit_code, error = yard.failure("run", "--config", "gepa.toml", "--display", "none")
    assert (exit_code, error["error_code"]) == (4, BROKEN)
    assert error["message"].startswith(f"{owner_of(slug)} raised ")
    yard.config(LISTENER.format(slug, "disable"))
    done = yard.gepa("resume", "runs/r", "--display", "none")
    assert done.exit_code == 4, "a resumed run keeps the configuration that it was started with"


@pytest.mark.parametrize(
    "slug", ["listener_mutates", "proposer_mutates", "transport_mutates", "stopper_mutates"]
)
def test_what_is_given_cannot_be_spoilt(selected, slug):
    yard = selected(slug)
    yard.config(run_id="plain")
    assert yard.gepa("run", "--config", "gepa.toml", "--display", "none").exit_code == 0
    chosen = {slug.partition("_")[0]: slug} if slug[0] in "pt" else {}
    table = STOPPER if slug[0] == "s" else LISTENER if slug[0] == "l" else ""
    yard.config(table.format(slug, "warn"), run_id="spoilt", **chosen)
    done = yard.gepa("run", "--config", "gepa.toml", "--display", "none")
    assert done.exit_code == 0, done.stderr
    plain, spoilt = (_story(yard, run) for run in ("plain", "spoilt"))
    assert plain == spoilt
    done = yard.gepa("verify", "runs/spoilt")
    assert done.exit_code == 0, done.stderr


def test_what_one_plugin_does_to_its_context_is_no_matter_for_the_next(selected):
    yard = selected("stopper_mutates")
    yard.offer("stopper_observes")
    yard.config(STOPPER.format("stopper_mutates"), STOPPER.format("stopper_observes"))
    done = yard.gepa("run", "--config", "gepa.toml", "--display", "none")
    assert done.exit_code == 0, done.stderr


def test_a_proposer_that_never_answers_is_stopped(selected):
    yard = selected("proposer_silent")
    args = ("run", "--config", "gepa.toml", "--set", "gepa.call_timeout_seconds=0.05", "--display", "none")
    exit_code, error = yard.failure(*args)
    assert (exit_code, error["error_code"]) == (1, "gepa_run_failed")
    assert f"{owner_of('proposer_silent')} has not answered within 0.05 s" in error["message"]


def test_a_process_does_not_wait_for_threads_that_never_end(selected):
    yard = selected("proposer_threads")
    code = (
        "from gepa_framework.app import closing; from gepa_framework.cli import leaving, main\n"
        "closing.LEAVING_SECONDS = leaving.SECONDS = 0.2\n"
        "main.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "--config", "gepa.toml", "--display", "none"],
        cwd=yard.work,
        env={**os.environ, "PYTHONPATH": str(yard.site.path)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 threads that plugins began do not end; the run goes on without them" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(
        "warning: left without waiting for threads that do not end: "
    )
    _is_whole(yard)


def _is_whole(yard):
    """Whatever was raised: the run is on record, and the others heard all of it."""
    done = yard.gepa("verify", "runs/r")
    assert done.exit_code == 0, done.stderr
    events = (yard.work / "runs/r/events.jsonl").read_text().splitlines()
    heard = yard.work / "runs/r/listener.events.jsonl"
    assert not heard.exists() or len(heard.read_text().splitlines()) == len(events)


def _story(yard, run):
    lines = (yard.work / "runs" / run / "events.normalized.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    return [each for each in told if each["type"] != "gepa.run.started"]
