from __future__ import annotations

from pathlib import Path

import pytest

from gepa_framework.types import BuildContext


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    return BuildContext(
        run_id="r1",
        run_dir=tmp_path / "runs" / "r1",
        base_dir=tmp_path / "project",
        environ={"HOOK_SECRET": f"whsec_{'A' * 40}"},
    )
