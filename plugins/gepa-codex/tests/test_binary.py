from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from gepa_codex.binary import find_codex
from gepa_codex.config import CodexProposerConfig
from gepa_codex.failures import CodexError
from gepa_codex.probe import probe, supported_version
from gepa_codex.process import spawn


@pytest.fixture
def no_wheel(monkeypatch):
    monkeypatch.setitem(sys.modules, "codex_cli_bin", None)


def program(path: Path, text: str = "#!/bin/sh\n", mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def find(tmp_path, environ=None, **config):
    return find_codex(CodexProposerConfig(**config), environ or {}, tmp_path)


def test_the_configured_path_is_relative_to_the_configuration(tmp_path):
    path = program(tmp_path / "bin" / "codex")
    assert find(tmp_path, codex_bin="bin/codex").program == (str(path),)


def test_a_configured_name_is_looked_for_on_path(tmp_path):
    path = program(tmp_path / "somewhere" / "my-codex")
    environ = {"PATH": str(path.parent)}
    assert find(tmp_path, environ, codex_bin="my-codex").program == (str(path),)


def test_the_configured_one_is_used_before_the_environments(tmp_path, no_wheel):
    configured, named = program(tmp_path / "a" / "codex"), program(tmp_path / "b" / "codex")
    environ = {"GEPA_CODEX_BIN": str(named), "PATH": str(named.parent)}
    assert find(tmp_path, environ, codex_bin=str(configured)).program == (str(configured),)
    assert find(tmp_path, environ).source == "GEPA_CODEX_BIN"
    assert find(tmp_path, {"PATH": str(named.parent)}).source == "PATH"


def test_a_command_is_called_as_it_is_with_our_words_behind(tmp_path):
    path = program(tmp_path / "wrap")
    found = find(tmp_path, command=(str(path), "codex", "app-server", "-c", "a=1"))
    assert found.subcommand("--version") == (str(path), "codex", "--version")
    server = (str(path), "codex", "app-server", "-c", "a=1", "--strict-config", "--listen", "stdio://")
    assert found.server() == server


def test_a_command_without_app_server_gets_it(tmp_path):
    path = program(tmp_path / "codex")
    assert find(tmp_path, command=("./codex",)).server()[:2] == (str(path), "app-server")


def test_where_there_is_none_everything_tried_is_listed(tmp_path, no_wheel):
    with pytest.raises(CodexError) as error:
        find(tmp_path, {"PATH": str(tmp_path)})
    text = str(error.value)
    for words in ("proposer.codex_bin", "GEPA_CODEX_BIN", "openai-codex-cli-bin", "codex on PATH"):
        assert words in text
    assert "pip install 'gepa-codex[bin]'" in text
    assert "npm install -g @openai/codex" in text


def test_one_that_is_named_and_not_there_is_not_replaced_by_another(tmp_path):
    path = program(tmp_path / "bin" / "codex")
    environ = {"PATH": str(path.parent)}
    with pytest.raises(CodexError, match=r"proposer.codex_bin names .*nowhere.* is not a file"):
        find(tmp_path, environ, codex_bin="./nowhere")
    with pytest.raises(CodexError, match="GEPA_CODEX_BIN names 'nowhere', which is not on PATH"):
        find(tmp_path, {**environ, "GEPA_CODEX_BIN": "nowhere"})


def test_one_that_is_not_executable_is_told_from_one_that_is_missing(tmp_path):
    program(tmp_path / "codex", mode=0o644)
    with pytest.raises(CodexError, match="not executable; run `chmod"):
        find(tmp_path, codex_bin="./codex")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\x7fELF but for another machine", "architecture"),
        ("#!/no/such/interpreter\n", "or its interpreter, does not exist"),
    ],
)
def test_one_that_cannot_be_started_says_why(tmp_path, text, words):
    path = program(tmp_path / "codex", text)
    with pytest.raises(CodexError, match=words) as error:
        asyncio.run(spawn((str(path),), {}, tmp_path))
    assert not error.value.retryable


@pytest.mark.parametrize("version", ["0.154.0", "0.163.0", "0.169.0-alpha.3"])
def test_a_tested_version_is_taken(version):
    assert supported_version(f"codex-cli {version}\n") == version


@pytest.mark.parametrize("version", ["0.153.4", "0.170.0", "1.0.0"])
def test_an_untested_version_is_refused(version):
    with pytest.raises(CodexError, match=f"codex {version} is not supported"):
        supported_version(f"codex-cli {version}")


def test_what_is_no_codex_is_refused():
    with pytest.raises(CodexError, match="gave no version but 'hello'"):
        supported_version("hello")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#!/bin/sh\necho oh no >&2; exit 3\n", "`codex .*--version` ended with exit code 3: oh no"),
        ("#!/bin/sh\nexec sleep 30\n", "did not end within 0.3 s"),
        ("#!/bin/sh\necho codex-cli 0.160.0\n", "gave something else than models"),
    ],
)
def test_a_probe_that_fails_says_what_failed(tmp_path, text, words):
    path = program(tmp_path / "codex", text)
    command = find(tmp_path, codex_bin=str(path))
    with pytest.raises(CodexError, match=words):
        asyncio.run(probe(command, {"PATH": "/usr/bin:/bin"}, tmp_path, 0.3))
