from __future__ import annotations

import pytest

from gepa_framework.app import files
from gepa_framework.errors import WorkspaceError


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
