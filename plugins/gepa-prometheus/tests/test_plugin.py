from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gepa_framework.types import Kind
from gepa_prometheus import __version__, plugin
from gepa_prometheus.config import PrometheusConfig

PROJECT_FILE = Path(__file__).parents[1] / "pyproject.toml"


def test_the_entry_point_names_the_plugin_module():
    project = tomllib.loads(PROJECT_FILE.read_text())["project"]
    assert project["version"] == __version__
    assert project["entry-points"][Kind.LISTENER.group] == {plugin.plugin_info.name: plugin.__name__}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"host": ""}, "host"),
        ({"port": -1}, "port must be 0 to 65535, got -1"),
        ({"port": 65536}, "port must be 0 to 65535, got 65536"),
        ({"advertise": ""}, "advertise"),
        ({"targets_dir": ""}, "targets_dir"),
        ({"textfile_dir": ""}, "textfile_dir"),
        ({"labels": {"a-b": "c"}}, "labels must have names of letters"),
        ({"labels": {"__a": "c"}}, "labels must have names of letters"),
        ({"labels": {"run": "c"}}, "labels may not have 'run'"),
        ({"labels": {"instance": "c"}}, "labels may not have 'instance'"),
        ({"labels": {"stage": "c"}}, "labels may not have 'stage'"),
        ({"linger_seconds": -1.0}, "linger_seconds must be 0 to 600"),
        ({"linger_seconds": float("nan")}, "linger_seconds must be 0 to 600"),
        ({"linger_seconds": 601.0}, "linger_seconds must be 0 to 600"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(table, words):
    with pytest.raises(ValueError) as caught:
        PrometheusConfig(**table)
    assert words in str(caught.value)
