from __future__ import annotations

import json
import os
import tomllib

import pytest

from gepa_codex import toml
from gepa_codex.binary import CodexCommand
from gepa_codex.config import CodexProposerConfig
from gepa_codex.home import environment, make_home, remove_home
from gepa_codex.settings import write_settings


def written(tmp_path, *, features=frozenset(), models=frozenset(), **config):
    write_settings(tmp_path, CodexProposerConfig(**config), features=features, models=models)
    return tomllib.loads((tmp_path / "config.toml").read_text())


def test_nothing_is_allowed_and_nothing_is_remembered(tmp_path):
    table = written(tmp_path)
    assert (table["approval_policy"], table["sandbox_mode"]) == ("never", "read-only")
    assert (table["web_search"], table["history"]) == ("disabled", {"persistence": "none"})
    assert table["shell_environment_policy"]["inherit"] == "none"


def test_the_provider_is_a_custom_one_with_the_key_by_name(tmp_path):
    provider = written(tmp_path, base_url="http://h/v1/", message_stall_timeout_seconds=5)["model_providers"][
        "gepa"
    ]
    assert (provider["base_url"], provider["env_key"]) == ("http://h/v1", "GEPA_CODEX_API_KEY")
    assert (provider["wire_api"], provider["stream_idle_timeout_ms"]) == ("responses", 5000)


def test_without_a_key_none_is_named(tmp_path):
    assert "env_key" not in written(tmp_path, api_key_env="")["model_providers"]["gepa"]


def test_only_features_that_codex_knows_are_switched_off(tmp_path):
    table = written(tmp_path, features=frozenset({"plugins", "unified_exec"}))
    assert table["features"] == {"plugins": False}


def test_an_unknown_model_is_described_and_a_known_one_is_not(tmp_path):
    table = written(tmp_path, model="mine", reasoning_effort="high")
    (entry,) = json.loads((tmp_path / "models.json").read_text())["models"]
    assert table["model_catalog_json"] == str(tmp_path / "models.json")
    assert (entry["slug"], entry["supported_reasoning_levels"][0]["effort"]) == ("mine", "high")
    assert "model_catalog_json" not in written(tmp_path, model="known", models=frozenset({"known"}))


def test_further_settings_are_merged_in(tmp_path):
    extra = {"model_providers": {"gepa": {"request_max_retries": 4}}, "model_verbosity": "low"}
    table = written(tmp_path, extra_config=extra)
    assert table["model_providers"]["gepa"]["request_max_retries"] == 4
    assert table["model_providers"]["gepa"]["wire_api"] == "responses"
    assert table["model_verbosity"] == "low"


@pytest.mark.parametrize(
    "table",
    [
        {"a": 'quo"te \\ \n \x7f \u2028 ü', "b": [1, 2.5, True, {"c": "d"}], "e": {"f g": {"h": 1}}},
        {"table": {"x": 1}, "plain": 2},
        {"empty": {}, "big": 1e300},
    ],
)
def test_what_is_written_is_what_is_read(table):
    assert tomllib.loads(toml.dump(table)) == table


def test_what_toml_cannot_say_is_refused():
    with pytest.raises(TypeError, match="NoneType has no form in TOML"):
        toml.dump({"a": None})


def test_a_home_is_for_its_owner_alone(tmp_path):
    home = make_home(tmp_path / "run")
    assert (home.stat().st_mode & 0o777, (home / "workspace").stat().st_mode & 0o777) == (0o700, 0o700)
    remove_home(home)
    assert not home.exists()


def test_the_home_of_a_living_process_stays(tmp_path):
    other = tmp_path / f"codex-home-{os.getpid()}-x"
    other.mkdir()
    make_home(tmp_path)
    assert other.exists()


def test_the_environment_is_made_from_nothing(tmp_path):
    environ = {"OPENAI_API_KEY": "k", "HOME": "/home/me", "HTTPS_PROXY": "http://p", "PATH": "/opt/mine"}
    config = CodexProposerConfig(env_passthrough=("HTTPS_PROXY", "PATH", "MISSING"))
    made = environment(config, CodexCommand((str(tmp_path / "codex"),)), tmp_path, environ)
    assert set(made) == {
        *("CODEX_HOME", "GEPA_CODEX_API_KEY", "HOME", "HTTPS_PROXY", "LANG"),
        *("NO_COLOR", "NO_PROXY", "PATH", "RUST_LOG"),
    }
    assert made["HOME"] == str(tmp_path)
    assert made["PATH"] == f"{tmp_path}:/usr/local/bin:/usr/bin:/bin"
