from __future__ import annotations

import importlib
import tomllib
from importlib import metadata
from pathlib import Path

import attrs
import pytest

from gepa_framework.plugins import Plugins
from gepa_framework.types import Kind

ROOT = Path(__file__).parents[2]
DECLARED = [
    (kind, name, module)
    for kind in Kind
    for name, module in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    .get(kind.group, {})
    .items()
]
REQUIRED = {
    "seconds": 60.0,
    "iterations": 3,
    "score": 0.5,
    "url": "https://example.org/",
    "secret_env": "HOOK_SECRET",
}


def config_of(config_class):
    needed = {field.name for field in attrs.fields(config_class) if field.default is attrs.NOTHING}
    return config_class(**{name: REQUIRED[name] for name in needed})


def test_all_builtins_are_declared():
    names = {(kind.value, name) for kind, name, _ in DECLARED}
    assert names == {
        ("cache", "memory"),
        ("cache", "sqlite"),
        ("listener", "jsonl"),
        ("listener", "webhook"),
        ("stopper", "deadline"),
        ("stopper", "max_iterations"),
        ("stopper", "no_improvement"),
        ("stopper", "score_threshold"),
        ("store", "sqlite"),
    }


@pytest.mark.parametrize(("kind", "name", "module"), DECLARED)
def test_a_declared_builtin_says_the_same_of_itself(kind, name, module):
    info = importlib.import_module(module).plugin_info
    assert (info.kind, info.name) == (kind, name)
    assert info.summary.endswith(".")


@pytest.mark.parametrize(("kind", "name", "module"), DECLARED)
def test_every_config_field_has_help(kind, name, module):
    config = importlib.import_module(module).plugin_info.config
    assert all(field.metadata["help"].endswith(".") for field in attrs.fields(config))
    assert hash(config_of(config)) is not None


@pytest.mark.parametrize(("kind", "name", "module"), DECLARED)
def test_builtins_load_and_build_like_anybodys(kind, name, module, context):
    try:
        metadata.distribution("gepa-framework")
    except metadata.PackageNotFoundError:
        pytest.skip("the distribution gepa-framework is not installed, so it has no entry points")
    plugins = Plugins.discover()
    loaded = plugins.load(kind, f"gepa-framework:{name}")
    assert loaded.found.target == module
    built = getattr(plugins, f"make_{kind}")(f"gepa-framework:{name}", config_of(loaded.info.config), context)
    assert type(built).__module__ == module
    assert not context.run_dir.exists()
