from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import attrs
import pytest

from gepa_framework.errors import WorkspaceError, WorkspaceLockedError
from gepa_framework.workspace import Holder, WorkspaceLock, holder_of
from gepa_framework.workspace import lock as lock_module

_HOLD = """
import sys
from pathlib import Path
from gepa_framework.workspace import WorkspaceLock
lock = WorkspaceLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Let another process hold the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_held_workspace_is_refused_with_the_holders_process(holder, tmp_path):
    with pytest.raises(WorkspaceLockedError, match=f"is in use by process {holder.pid} on ") as caught:
        WorkspaceLock(tmp_path)
    told = (
        rf"{tmp_path} is in use by process {holder.pid} on {socket.gethostname()} \(-c .*\) since 20\d\d-.*Z"
    )
    assert re.fullmatch(told, caught.value.message)
    assert caught.value.hint.endswith(f"have it stop and resume then: kill -INT {holder.pid}")


def test_a_holder_that_is_killed_lets_go(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    # Dead, and not heard of yet by its parent, which is enough.
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
    lock = WorkspaceLock(tmp_path)
    assert lock.deserted.pid == holder.pid
    assert lock.deserted.gone
    lock.release()


def test_a_released_lock_can_be_taken_again(tmp_path):
    WorkspaceLock(tmp_path).release()
    second = WorkspaceLock(tmp_path)
    with pytest.raises(WorkspaceLockedError, match="is in use by process"):
        WorkspaceLock(tmp_path)
    second.release()


def test_a_refused_attempt_does_not_take_the_name_of_the_holder_away(holder, tmp_path):
    for _ in range(2):
        with pytest.raises(WorkspaceLockedError, match=str(holder.pid)):
            WorkspaceLock(tmp_path)


def test_nobody_deserted_a_lock_that_was_released(tmp_path):
    first = WorkspaceLock(tmp_path)
    first.release()
    first.release()
    lock = WorkspaceLock(tmp_path)
    assert lock.deserted is None
    lock.release()


@pytest.fixture
def taken(tmp_path):
    """Give what holds the lock under any name."""
    files = []

    def take(text):
        path = tmp_path / "workspace.lock"
        path.write_text(text)
        files.append(path.open())
        fcntl.flock(files[-1], fcntl.LOCK_EX)

    yield take
    for file in files:
        file.close()


def refusal(tmp_path):
    with pytest.raises(WorkspaceLockedError) as caught:
        WorkspaceLock(tmp_path)
    return str(caught.value)


@pytest.mark.parametrize("started", ["another-boot/1", "{}1"])
def test_a_process_that_has_the_number_of_a_dead_holder_is_not_taken_for_it(tmp_path, taken, started):
    present = Holder.present()
    taken(attrs.evolve(present, started=started.format(present.started)).text())
    told = refusal(tmp_path)
    assert f"was in use by process {os.getpid()}" in told
    assert "that is gone, but a process that came of it holds the lock" in told
    assert f"`fuser {tmp_path / 'workspace.lock'}` names it" in told


def test_a_lock_that_outlives_its_holder_in_a_child_is_told_as_that(tmp_path):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom gepa_framework.workspace import WorkspaceLock\n"
        "lock = WorkspaceLock(Path(sys.argv[1]))\n"
        "print(os.getpid(), flush=True)\n"
        "if os.fork(): os._exit(0)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, tmp_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        pid = process.stdout.readline().strip()
        process.wait()
        told = refusal(tmp_path)
        assert f"was in use by process {pid}" in told
        assert "that is gone" in told
        process.stdin.close()
        # The child ends when nothing can be read any more, and its end of the pipe with it.
        assert process.stdout.read() == ""
    WorkspaceLock(tmp_path).release()


def test_a_holder_of_another_host_is_told_with_its_host_and_never_taken_for_dead(tmp_path, taken):
    taken(Holder(4_000_000_000, "elsewhere", "2026-01-01T00:00:00Z", "gepa run", "boot/1").text())
    told = refusal(tmp_path)
    assert "is in use by process 4000000000 on elsewhere (gepa run) since 2026-01-01T00:00:00Z" in told
    assert "kill -INT 4000000000, on elsewhere" in told


def test_what_earlier_versions_wrote_is_understood(tmp_path, taken):
    taken(f"process {os.getpid()}\n")
    assert f"is in use by process {os.getpid()}; wait" in refusal(tmp_path)


@pytest.mark.parametrize("text", ["", "rubbish", "process x", "[]", '{"pid": 1}', '{"pid": null}', "\0"])
def test_a_holder_that_left_no_name_is_refused_with_words_all_the_same(tmp_path, taken, text):
    taken(text)
    told = refusal(tmp_path)
    assert "is in use by an unnamed process" in told
    assert "fuser" in told
    assert holder_of(tmp_path) == "an unnamed process"


def test_a_command_is_told_up_to_its_first_option(monkeypatch):
    argv = ["/opt/bin/gepa", "resume", "runs/x", "--set", "proposer.token=sk-canary", "more"]
    monkeypatch.setattr(sys, "argv", argv)
    assert Holder.present().command == "gepa resume runs/x"
    monkeypatch.setattr(sys, "argv", ["/site/gepa_framework/__main__.py", "run", "--config", "gepa.toml"])
    assert Holder.present().command == "gepa_framework run"


def test_a_lock_whose_file_was_taken_away_meanwhile_is_no_lock(tmp_path, monkeypatch):
    opened = lock_module._opened
    taken_away = []

    def slow(path):
        file = opened(path)
        if not taken_away:
            path.unlink()
            taken_away.append(path)
        return file

    monkeypatch.setattr(lock_module, "_opened", slow)
    lock = WorkspaceLock(tmp_path)
    assert holder_of(tmp_path).startswith(f"process {os.getpid()} ")
    lock.release()


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(WorkspaceError, match="cannot be locked: No locks available; keep"):
        WorkspaceLock(tmp_path)


def test_a_directory_that_is_not_there_cannot_be_locked(tmp_path):
    with pytest.raises(WorkspaceError, match=r"workspace\.lock cannot be written: No such file"):
        WorkspaceLock(tmp_path / "nowhere")


def test_the_holder_is_told_without_taking_the_lock(holder, tmp_path):
    assert holder_of(tmp_path).startswith(f"process {holder.pid} on ")
    holder.kill()
    holder.wait()
    assert holder_of(tmp_path) == ""


def test_who_asks_for_the_holder_keeps_nobody_out(tmp_path):
    WorkspaceLock(tmp_path).release()
    with (tmp_path / "workspace.lock").open() as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        moment = threading.Timer(0.03, fcntl.flock, (asking, fcntl.LOCK_UN))
        moment.start()
        WorkspaceLock(tmp_path).release()
        moment.join()
