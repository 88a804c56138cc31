from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import threading

import pytest

from gepa_framework.errors import WorkspaceError, WorkspaceLockedError
from gepa_framework.workspace import WorkspaceLock, holder_of

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
    with pytest.raises(WorkspaceLockedError, match=f"is in use by process {holder.pid}") as caught:
        WorkspaceLock(tmp_path)
    assert caught.value.hint == "wait until it ends, or stop it"
    assert str(tmp_path) in caught.value.message


def test_a_holder_that_is_killed_lets_go(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    WorkspaceLock(tmp_path).release()


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


def test_a_directory_that_is_not_there_cannot_be_locked(tmp_path):
    with pytest.raises(WorkspaceError, match=r"workspace\.lock cannot be written: No such file"):
        WorkspaceLock(tmp_path / "nowhere")


def test_the_holder_is_told_without_taking_the_lock(holder, tmp_path):
    assert holder_of(tmp_path) == f"process {holder.pid}"
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
