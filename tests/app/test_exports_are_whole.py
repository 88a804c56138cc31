from __future__ import annotations

import errno
import os

import pytest

from gepa_framework.app import files
from gepa_framework.errors import DiskBudgetError, WorkspaceError


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "best_candidate.json"
    files.write_json(path, {"score": 0.5})
    # Where the draft cannot be written, nothing has touched what is there.
    (tmp_path / ".best_candidate.json.new").mkdir()
    with pytest.raises(WorkspaceError, match=r"best_candidate\.json"):
        files.write_json(path, {"score": 0.75})
    assert path.read_text() == '{\n  "score": 0.5\n}\n'


def test_no_draft_is_left_behind(tmp_path):
    files.write_text(tmp_path / "score_chart.svg", "<svg/>")
    assert [entry.name for entry in tmp_path.iterdir()] == ["score_chart.svg"]


def test_a_draft_that_has_no_room_is_not_left_behind(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskBudgetError, match="No space left on device"):
        files.write_text(tmp_path / "score_chart.svg", "<svg/>")
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_a_full_disk_cut_short_takes_no_other_with_it(tmp_path, monkeypatch):
    path = tmp_path / "run_registry.jsonl"
    files.append_line(path, {"run_id": "r1"})
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:5]))
    with pytest.raises(DiskBudgetError, match="No space left on device"):
        files.append_line(path, {"run_id": "r2"})
    monkeypatch.undo()
    files.append_line(path, {"run_id": "r3"})
    assert path.read_text() == '{"run_id":"r1"}\n{"run\n{"run_id":"r3"}\n'
