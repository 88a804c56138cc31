from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

RUN = ("run", "--config", "gepa.toml", "--display", "plain")


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"{words!r} was never said")


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Read the rest; `communicate` would lose what is buffered already."""
    err, out = process.stderr.read(), process.stdout.read()
    process.wait(timeout=50)
    return out, err


@pytest.fixture
def slow(shell) -> Iterator[subprocess.Popen[str]]:
    """A run whose rollouts wait for the file `gate`, once the seed is evaluated."""
    shell.config(**{'"skills"': '"skills"\nmood = "slow"\ngate = "gate"'})
    process = shell.popen(*RUN)
    wait_for(process, "best gepa_")
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


def normalised(run_dir: Path) -> bytes:
    return (run_dir / "events.normalized.jsonl").read_bytes()


def test_ctrl_c_once_finishes_what_is_under_way_and_says_how_to_resume(shell, slow) -> None:
    slow.send_signal(signal.SIGINT)
    said = wait_for(slow, "interrupted: finishing what is under way")
    assert "Ctrl-C again stops at once" in said
    (shell.path / "gate").touch()
    out, err = finish(slow)
    assert (slow.returncode, out) == (130, "")
    run_dir = shell.path / "runs" / "first"
    assert err.splitlines()[0] == f"to go on later: gepa resume {run_dir}"
    assert err.splitlines()[-1] == f"next: gepa resume {run_dir}"
    assert "Traceback" not in err
    assert json.loads((run_dir / "result_manifest.json").read_text())["status"] == "interrupted"


def test_an_interrupted_run_resumes_to_what_it_would_have_come_to(shell, slow) -> None:
    slow.send_signal(signal.SIGINT)
    (shell.path / "gate").touch()
    finish(slow)
    resumed = shell.run("resume", "first")
    assert resumed.exit_code == 0
    again = ("--set", "run.run_id=whole", "--display", "none")
    whole = shell.run("run", "--config", "gepa.toml", *again)
    assert resumed.stdout.splitlines()[-1] == whole.stdout.splitlines()[-1]
    runs = shell.path / "runs"
    assert normalised(runs / "first") == normalised(runs / "whole")


def test_a_resumed_run_does_not_tell_again_what_was_told(shell, slow) -> None:
    slow.send_signal(signal.SIGINT)
    (shell.path / "gate").touch()
    finish(slow)
    talk = shell.run("resume", "first").stderr.splitlines()
    assert "events on record" in talk[0]
    assert "resumed in iteration 1" in talk[1]
    assert not any("scores 0.000 on 20 of 20 rows" in line for line in talk)
    assert any("iteration 4: " in line for line in talk)


def test_ctrl_c_twice_stops_at_once(slow) -> None:
    slow.send_signal(signal.SIGINT)
    wait_for(slow, "to go on later")
    slow.send_signal(signal.SIGINT)
    # The gate stays shut: what is under way could only be waited for.
    out, err = finish(slow)
    assert (slow.returncode, out) == (130, "")
    assert "interrupted: the run was stopped at once" in err
    assert err.splitlines()[-1].startswith("next: gepa resume ")
    assert "Traceback" not in err


def test_an_interrupt_is_told_as_json(shell) -> None:
    shell.config(**{'"skills"': '"skills"\nmood = "slow"\ngate = "gate"'})
    with shell.popen(*RUN, "--json") as process:
        wait_for(process, "best gepa_")
        process.send_signal(signal.SIGINT)
        wait_for(process, "to go on later")
        process.send_signal(signal.SIGTERM)
        out, _ = finish(process)
    told = json.loads(out)["error"]
    assert (process.returncode, told["error_code"]) == (130, "gepa_interrupted")
    assert told["hint"] == f"gepa resume {told['run_dir']}"


def read_terminal(fd: int) -> str:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:  # what Linux says when the other side is closed
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode()


def on_terminal(shell, *args: str) -> tuple[int, str, str]:
    """Run the command line with stderr on a terminal; give exit code, stdout and what was on the screen."""
    outer, inner = pty.openpty()
    environ = {"CI": "", "NO_COLOR": "1", "LINES": "40"}
    process = shell.popen(*args, stderr=inner, env=environ)
    os.close(inner)
    screen = read_terminal(outer)
    out, _ = process.communicate(timeout=50)
    os.close(outer)
    return process.returncode, out, screen


def test_a_run_that_cannot_begin_gives_the_cursor_back_too(shell) -> None:
    shell.config(**{'transport = "skills"': 'transport = "skills"\nmood = "absent"'})
    code, out, screen = on_terminal(shell, "run", "--config", "gepa.toml")
    assert (code, out) == (5, "")
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l")
    assert "next: start the container" in screen.splitlines()[-1]


def test_on_a_terminal_the_panel_is_drawn_and_the_cursor_given_back(shell) -> None:
    code, out, screen = on_terminal(shell, "run", "--config", "gepa.toml")
    assert code == 0
    assert "starting container…" in screen
    assert "172/260 rollouts" in screen
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l")
    assert "\x1b[31" not in screen
    assert "\x1b" not in out
    assert out.splitlines()[-1].startswith("heldout: seed ")
