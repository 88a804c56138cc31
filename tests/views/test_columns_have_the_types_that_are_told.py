from __future__ import annotations

import re
from pathlib import Path

import pytest

from gepa_framework.workspace.views import VIEWS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "workspace.md"
TYPES = {"text": {"text"}, "integer": {"integer"}, "number": {"real"}}


def told(view):
    """Give the columns of a view with their types, as the reference has them."""
    section = PAGE.read_text(encoding="utf-8").partition(f"### `{view}`\n")[2].partition("\n##")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", section, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def runs(ran):
    merging = '[merge]\nevery = 2\nmax = 3\nrows = 4\n[acceptance]\nrule = "improvement_or_equal"'
    return ran("plain"), ran("hybrid", frontier="hybrid", more=merging)


@pytest.mark.parametrize("view", VIEWS)
def test_a_column_has_one_type(view, runs):
    columns = told(view)
    assert columns
    for run in runs:
        for name, kind in columns.items():
            found = set(run.column(f'SELECT DISTINCT typeof("{name}") FROM {view}'))
            assert found <= TYPES[kind] | {"null"}, name
