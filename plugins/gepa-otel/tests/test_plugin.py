from __future__ import annotations

import tomllib
from pathlib import Path

import attrs
import pytest

from gepa_framework.errors import ConfigError
from gepa_framework.hookspecs import PROJECT, factories
from gepa_framework.types import BuildContext, EffectListener, Kind, Listener
from gepa_otel import __version__, plugin
from gepa_otel.config import OtelConfig
from gepa_otel.plugin import gepa_make_listener, traces_url

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


def build(tmp_path, environ=None, **config):
    return gepa_make_listener(
        OtelConfig(**config), BuildContext("r1", tmp_path, tmp_path, environ=environ or {})
    )


def test_building_opens_nothing(tmp_path):
    listener = build(tmp_path, endpoint="http://127.0.0.1:1")
    assert isinstance(listener, Listener)
    assert isinstance(listener, EffectListener)
    assert list(tmp_path.iterdir()) == []


def test_headers_that_are_not_set_are_a_configuration_error(tmp_path):
    with pytest.raises(ConfigError, match="names the environment variable NOT_SET, which is not") as caught:
        build(tmp_path, headers_env={"authorization": "NOT_SET"})
    assert [each.path for each in caught.value.problems] == ["headers_env.authorization"]


@pytest.mark.parametrize(
    ("endpoint", "environ", "url"),
    [
        (None, {}, "http://localhost:4318/v1/traces"),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}, "http://c:4318/v1/traces"),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c/base"}, "http://c/base/v1/traces"),
        (
            None,
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/x"},
            "http://t/x",
        ),
        ("https://mine", {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/x"}, "https://mine/v1/traces"),
        ("https://mine/v1/traces", {}, "https://mine/v1/traces"),
    ],
)
def test_the_address_is_the_configurations_or_the_environments(endpoint, environ, url):
    assert traces_url(OtelConfig(endpoint=endpoint), environ) == url


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"endpoint": "127.0.0.1:4318"}, "must look like http://"),
        ({"endpoint": "grpc://host:4317"}, "must look like http://"),
        ({"endpoint": "http://user:canary@host"}, "name their environment variable in headers_env"),
        ({"endpoint": "http://host?key=canary"}, "must end with its path"),
        ({"headers_env": {"authorization": "Bearer canary"}}, "must be the name of an environment variable"),
        ({"headers_env": {"bad header": "X"}}, "is not the name of a header"),
        ({"service_name": ""}, "service_name"),
        ({"sampling_ratio": 1.5}, "must be between 0 and 1"),
        ({"sampling_ratio": float("nan")}, "must be between 0 and 1"),
        ({"queue_size": 0}, "must be a positive number"),
        ({"timeout_seconds": float("inf")}, "must be a positive number"),
        ({"close_seconds": -1.0}, "must be a positive number"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_without_a_word_of_secrets(table, words):
    with pytest.raises(ValueError) as caught:
        OtelConfig(**table)
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def test_every_field_is_explained():
    assert all(field.metadata["help"] for field in attrs.fields(OtelConfig))
