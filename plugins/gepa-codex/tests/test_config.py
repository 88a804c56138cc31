from __future__ import annotations

import attrs
import pytest

from gepa_codex.config import CodexProposerConfig, PromptConfig


def test_the_defaults_are_those_of_the_readme():
    config = CodexProposerConfig()
    assert (config.model, config.mode, config.url) == ("gpt-5.4-mini", "inline", "https://api.openai.com/v1")
    assert config.key_variable == "OPENAI_API_KEY"
    assert (config.timeout_seconds, config.message_stall_timeout_seconds) == (600, 180)
    assert (config.attempts, config.max_restarts, config.recycle_after_threads) == (2, 5, 200)


def test_every_field_explains_itself():
    for cls in (CodexProposerConfig, PromptConfig):
        assert all(field.metadata["help"].endswith((".", "inline.")) for field in attrs.fields(cls))


def test_a_v1_table_is_accepted():
    CodexProposerConfig(
        runtime_substrate="local",
        execution_mode="local_process",
        provider="openai",
        api_family="responses",
        command=("codex", "app-server"),
        sandbox_mode="workspace-write",
        approval_policy="never",
        reasoning_effort="medium",
        auth_mode="api_key",
        copy_host_auth=False,
        api_key_env="OPENAI_API_KEY",
        timeout_seconds=900,
        message_stall_timeout_seconds=120,
        model="gpt-5.4-mini",
        allow_unverified_model=True,
        prompt=PromptConfig(best_practices="x"),
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("timeout_seconds", 0, "must be a number above 0, got 0"),
        ("message_stall_timeout_seconds", -1.0, "above 0"),
        ("request_timeout_seconds", float("inf"), "above 0"),
        ("start_timeout_seconds", float("nan"), "above 0"),
        ("attempts", 0, "1 or more"),
        ("max_restarts", -1, "0 or more"),
        ("recycle_after_threads", True, "whole number"),
        ("mode", "workspace", "mode must be one of 'inline', got 'workspace'"),
        ("reasoning_effort", "max", "'xhigh'"),
        ("runtime_substrate", "docker", "runs on this machine only"),
        ("execution_mode", "websocket", "over stdio only"),
        ("api_family", "chat_completions", "Responses API only"),
        ("approval_policy", "on-request", "nobody is there"),
        ("sandbox_mode", "none", "'read-only'"),
        ("auth_mode", "chatgpt", "a ChatGPT login is not supported yet"),
        ("copy_host_auth", True, "never copied"),
        ("codex_home", "/home/me/.codex", "a private CODEX_HOME"),
        ("model", " ", "model must not be empty"),
        ("base_url", "ftp://host", "http or https"),
        ("base_url", "https://me:secret@host/v1", "must not hold credentials"),
        ("base_url", "https://host/v1?key=secret", "must not hold credentials"),
        ("api_key_env", "sk-123", "not the key itself"),
        ("env_passthrough", ("HTTPS_PROXY", "a b"), "env_passthrough must be the name"),
        ("command", (), "command must hold a program"),
        ("extra_config", {"approval_policy": "on-request"}, "must not set approval_policy"),
        ("extra_config", {"mcp_servers": {}}, "must not set mcp_servers"),
        ("extra_config", {"a": {"http_headers": {"Authorization": "x"}}}, "'a.http_headers.Authorization'"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_words(field, value, words):
    with pytest.raises(ValueError, match=field) as refused:
        CodexProposerConfig(**{field: value})
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "sk-123" not in str(refused.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"provider": "other"}, "base_url must be set where provider is 'other'"),
        ({"provider": "other", "base_url": "http://h/v1", "auth_mode": "api_key"}, "needs api_key_env"),
        ({"codex_bin": "codex", "command": ("codex",)}, "exclude one another"),
        ({"best_practices": "a", "best_practices_path": "b"}, "at most one"),
        ({"best_practices": "a", "prompt": PromptConfig(best_practices_path="b")}, "at most one"),
    ],
)
def test_fields_that_contradict_one_another_are_refused(table, words):
    with pytest.raises(ValueError, match=words):
        CodexProposerConfig(**table)


def test_another_provider_has_no_key_unless_it_is_named():
    assert CodexProposerConfig(provider="other", base_url="http://h/v1/").key_variable is None
    assert CodexProposerConfig(provider="other", base_url="http://h/v1/").url == "http://h/v1"
    assert CodexProposerConfig(provider="other", base_url="http://h/v1", api_key_env="K").key_variable == "K"
    assert CodexProposerConfig(api_key_env="").key_variable is None


def test_the_prompt_table_is_the_same_as_the_fields():
    config = CodexProposerConfig(prompt=PromptConfig(best_practices_path="advice.md"))
    assert (config.advice, config.advice_path) == (None, "advice.md")
