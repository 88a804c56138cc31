from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import attrs
import pytest

from gepa_framework.hookspecs import PROJECT, factories
from gepa_framework.types import Kind, Listener
from gepa_mlflow import __version__, plugin
from gepa_mlflow.config import MlflowConfig
from gepa_mlflow.places import Place

PROJECT_FILE = Path(__file__).parents[1] / "pyproject.toml"


def test_the_entry_point_names_the_plugin_module():
    project = tomllib.loads(PROJECT_FILE.read_text())["project"]
    assert project["version"] == __version__
    assert project["entry-points"][Kind.LISTENER.group] == {plugin.plugin_info.name: plugin.__name__}


def test_the_hook_has_the_signature_of_its_specification():
    pluggy = pytest.importorskip("pluggy")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(factories)
    manager.register(plugin)
    manager.check_pending()


def test_neither_the_plugin_nor_its_listener_imports_mlflow_before_there_is_an_event():
    code = """
import sys
from pathlib import Path
from gepa_framework.types import BuildContext
from gepa_mlflow.plugin import gepa_make_listener
from gepa_mlflow.config import MlflowConfig
gepa_make_listener(MlflowConfig(), BuildContext("r", Path("nowhere"), Path())).close()
sys.exit("mlflow" in sys.modules or "sqlalchemy" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=50).returncode == 0


def test_building_opens_nothing(build, tmp_path):
    assert isinstance(build(), Listener)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"tracking_uri": " "}, "must not be empty"),
        ({"tracking_uri": "https://user:canary@host"}, "MLFLOW_TRACKING_URI"),
        ({"tracking_uri": "postgresql://user:canary@host/db"}, "MLFLOW_TRACKING_URI"),
        ({"tracking_uri": "http://[canary"}, "is no address"),
        ({"tracking_uri": "http://me:canary/ss@host:5000"}, "is no address"),
        ({"experiment": ""}, "experiment"),
        ({"run_name": ""}, "run_name"),
        ({"tags": {"gepa.run_id": "x"}}, "may not set 'gepa.run_id'"),
        ({"tags": {"": "x"}}, "may not set ''"),
        ({"queue_size": 0}, "must be a positive number"),
        ({"flush_seconds": 0.0}, "must be a positive number"),
        ({"close_seconds": float("inf")}, "must be a positive number"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_without_a_word_of_secrets(table, words):
    with pytest.raises(ValueError) as caught:
        MlflowConfig(**table)
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def place(build, **options):
    listener = build(**options)
    return Place.of(listener._config, listener._context)


def test_without_an_address_the_environment_names_it_and_else_it_is_a_file_beside_the_configuration(
    build, tmp_path
):
    variables = {"MLFLOW_TRACKING_URI": "http://host:1", "MLFLOW_EXPERIMENT_NAME": "mine"}
    assert place(build).uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert place(build).experiment == "gepa"
    assert place(build, environ=variables).uri == "http://host:1"
    assert place(build, environ=variables).experiment == "mine"
    named = place(build, environ=variables, tracking_uri="sqlite:///sub/a.db", experiment="own")
    assert (named.uri, named.experiment) == (f"sqlite:///{tmp_path}/sub/a.db", "own")
    assert named.artifacts == f"file://{tmp_path}/sub/mlruns"
    assert place(build, tracking_uri="sqlite:////a.db").uri == "sqlite:////a.db"
    assert place(build, environ=variables).artifacts is None


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://user:canary-word@host:7000/path?token=canary-word", "https://host:7000/path"),
        ("postgresql://user:canary-word@host/db", "postgresql://host/db"),
        ("databricks", "databricks"),
        ("http://me:canary/ss@host:5000", "http://[redacted]"),
        ("http://me:12/canary@host:5000", "http://[redacted]"),
        ("http://me:12?canary@host", "http://[redacted]"),
        ("http://[canary", "http://[redacted]"),
        ("me:canary@host:5000", "[redacted]"),
    ],
)
def test_an_address_is_shown_without_its_user_and_password(build, uri, shown):
    found = place(build, environ={"MLFLOW_TRACKING_URI": uri})
    assert found.shown == shown
    assert "canary" not in repr(found)
    if "canary-word@" in uri:
        assert found.redact(f"no way to {uri}").count("canary-word") == 0


@pytest.mark.parametrize("uri", ["http://me:canary/ss@host:5000", "http://[canary"])
def test_nobody_is_reached_at_what_is_no_address(build, uri):
    found = place(build, environ={"MLFLOW_TRACKING_URI": uri})
    assert "that is no address" in found.unreachable()
    assert "canary" not in found.unreachable()


@pytest.mark.parametrize(
    "uri", ["http://me:canary/ss@host:5000", "http://me:12/canary@host", "me:canary@host:5000"]
)
def test_what_is_meant_as_a_password_is_taken_out_of_what_mlflow_says(build, uri):
    assert "canary" not in place(build, environ={"MLFLOW_TRACKING_URI": uri}).redact(f"no way to {uri}")


def test_every_field_is_explained():
    assert all(field.metadata["help"] for field in attrs.fields(MlflowConfig))
