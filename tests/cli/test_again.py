from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gepa_framework.cli.again import program, resume_command


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    command = tmp_path / "bin" / "gepa"
    command.parent.mkdir()
    command.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(command), "run"])
    return command


def test_a_command_on_the_path_is_called_by_its_name(installed, monkeypatch):
    monkeypatch.setenv("PATH", str(installed.parent))
    assert resume_command("runs/r") == "gepa resume runs/r"


def test_a_command_that_a_shell_would_not_find_is_called_by_its_path(installed, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert resume_command("runs/r") == f"{installed} resume runs/r"


def test_another_command_of_the_name_is_not_meant(installed, monkeypatch, tmp_path):
    other = tmp_path / "other" / "gepa"
    other.parent.mkdir()
    other.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    assert program() == str(installed)


def test_a_module_is_called_by_the_name_of_the_command(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/__main__.py"])
    assert program() == "gepa"
