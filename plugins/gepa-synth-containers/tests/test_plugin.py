from __future__ import annotations

import tomllib
from pathlib import Path

import attrs
import cattrs
import pytest

from gepa_framework.errors import ConfigError
from gepa_framework.hookspecs import PROJECT, factories
from gepa_framework.types import BuildContext, Kind, Transport
from gepa_synth_containers import __version__, plugin
from gepa_synth_containers.config import SynthContainersConfig

PROJECT_FILE = Path(__file__).parents[1] / "pyproject.toml"


@pytest.fixture
def context(tmp_path):
    return BuildContext(run_id="r", run_dir=tmp_path / "run", base_dir=tmp_path)


def test_the_entry_point_names_the_plugin_module():
    project = tomllib.loads(PROJECT_FILE.read_text())["project"]
    assert project["version"] == __version__
    assert project["entry-points"][Kind.TRANSPORT.group] == {plugin.plugin_info.name: plugin.__name__}


def test_the_hook_has_the_signature_of_its_specification():
    pluggy = pytest.importorskip("pluggy")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(factories)
    manager.register(plugin)
    manager.check_pending()


def test_building_opens_nothing(context):
    config = SynthContainersConfig(command=("no-such-program",))
    transport = plugin.gepa_make_transport(config, context)
    assert isinstance(transport, Transport)
    assert not context.run_dir.exists()


def test_a_bearer_variable_that_is_not_set_is_a_configuration_error(context):
    config = SynthContainersConfig(url="http://127.0.0.1:1", auth_bearer_env="MY_TOKEN")
    with pytest.raises(
        ConfigError, match="names the environment variable MY_TOKEN, which is not set"
    ) as caught:
        plugin.gepa_make_transport(config, context)
    assert caught.value.problems[0].path == "auth_bearer_env"


def test_a_table_is_structured_as_toml_gives_it():
    table = tomllib.loads('command = ["a", "b"]\nlabel_fields = ["x"]\n[headers]\nx-a = "1"\n')
    config = cattrs.structure(table, SynthContainersConfig)
    assert (config.command, config.label_fields, dict(config.headers)) == (("a", "b"), ("x",), {"x-a": "1"})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "url or command is needed"),
        ({"url": "127.0.0.1:80"}, "must look like http://"),
        ({"url": "ftp://host"}, "must look like http://"),
        ({"url": "http://user:pw@host"}, "must not hold a credential"),
        ({"url": "http://host?x=1"}, "neither query nor fragment"),
        ({"url": "http://host:{port}"}, "chosen for a container that 'command' starts"),
        ({"url": "http://host", "cwd": "x"}, "there is no command"),
        ({"command": ("",)}, "must begin with a program"),
        ({"command": ("a", "b\0")}, "hold no NUL"),
        ({"url": "http://host", "timeout_seconds": 0}, "must be a positive number"),
        ({"url": "http://host", "startup_timeout_seconds": float("nan")}, "must be a positive number"),
        ({"url": "http://host", "max_body_bytes": -1}, "must be a positive number"),
        ({"url": "http://host", "headers": {"a": "b\r\nc: d"}}, "headers.a must be printable ASCII"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_with_words(table, words):
    with pytest.raises(ValueError) as caught:
        SynthContainersConfig(**table)
    assert words in str(caught.value)


def test_every_field_is_explained_and_headers_are_not_shown():
    assert all(field.metadata["help"] for field in attrs.fields(SynthContainersConfig))
    assert "canary" not in repr(SynthContainersConfig(url="http://host", headers={"a": "canary"}))
