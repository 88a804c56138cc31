from __future__ import annotations

import tomllib
from pathlib import Path

import attrs
import pytest

from gepa_cache_redis import __version__, plugin
from gepa_cache_redis.config import RedisCacheConfig
from gepa_framework.errors import ConfigError
from gepa_framework.hookspecs import PROJECT, factories
from gepa_framework.types import Cache, Kind, Listing, Preflight

PROJECT_FILE = Path(__file__).parents[1] / "pyproject.toml"
NOWHERE = "redis://127.0.0.1:1"


def test_the_entry_point_names_the_plugin_module():
    project = tomllib.loads(PROJECT_FILE.read_text())["project"]
    assert project["version"] == __version__
    assert project["entry-points"][Kind.CACHE.group] == {plugin.plugin_info.name: plugin.__name__}


def test_the_hook_has_the_signature_of_its_specification():
    pluggy = pytest.importorskip("pluggy")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(factories)
    manager.register(plugin)
    manager.check_pending()


def test_building_opens_nothing(build):
    cache = build(NOWHERE)
    assert all(isinstance(cache, protocol) for protocol in (Cache, Preflight, Listing))


def test_a_password_that_is_not_set_is_a_configuration_error(build):
    with pytest.raises(ConfigError, match="names the environment variable MY_WORD, which is not") as caught:
        build(NOWHERE, password_env="MY_WORD")
    assert caught.value.problems[0].path == "password_env"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"url": "127.0.0.1:6379"}, "must look like redis://"),
        ({"url": "http://host"}, "must look like redis://"),
        ({"url": "redis://"}, "must look like redis://"),
        ({"url": "unix://"}, "must look like redis://"),
        ({"url": "redis://:canary@host"}, "name its environment variable in password_env"),
        ({"url": "redis://user:canary@host/0"}, "name its environment variable in password_env"),
        ({"url": "redis://host?password=canary"}, "may have ?db=NUMBER behind it, and nothing else"),
        ({"url": "redis://host#x"}, "may have ?db=NUMBER behind it, and nothing else"),
        ({"password_env": "canary word"}, "must be the name of an environment variable"),
        ({"prefix": ""}, "must be 1 to 100 letters"),
        ({"prefix": "a*"}, "must be 1 to 100 letters"),
        ({"ttl_seconds": 0}, "must be a positive number"),
        ({"max_value_mib": 0}, "must be a positive number"),
        ({"timeout_seconds": float("nan")}, "must be a positive number"),
        ({"connect_timeout_seconds": -1.0}, "must be a positive number"),
        ({"max_connections": 0}, "must be a positive number"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_without_a_word_of_secrets(table, words):
    with pytest.raises(ValueError) as caught:
        RedisCacheConfig(**table)
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user@host:7000/2", "redis://host:7000/2"),
        ("rediss://host", "rediss://host"),
        ("unix:///run/redis.sock?db=3", "unix:///run/redis.sock"),
    ],
)
def test_an_address_is_shown_without_its_user(url, shown):
    assert RedisCacheConfig(url=url).shown == shown


def test_every_field_is_explained():
    assert all(field.metadata["help"] for field in attrs.fields(RedisCacheConfig))
