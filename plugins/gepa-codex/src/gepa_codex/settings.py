"""What ``config.toml`` tells codex: no tools, no memory, no reaching out, one provider."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gepa_codex import toml
from gepa_codex.config import CodexProposerConfig

PROVIDER: Final = "gepa"
#: The variable in which the app-server finds the key, whatever the user's own one is called.
KEY_VARIABLE: Final = "GEPA_CODEX_API_KEY"
_WINDOW: Final = 200_000
#: Everything that would reach out, remember, or run what nobody asked for.
_FEATURES_OFF: Final = (
    "plugins",
    "unbounded_connection_retries",
    "remote_plugin",
    "plugin_sharing",
    "apps",
    "hooks",
    "memories",
    "goals",
    "image_generation",
    "browser_use",
    "browser_use_external",
    "computer_use",
    "in_app_browser",
    "shell_snapshot",
    "skill_search",
    "tool_suggest",
    "skill_mcp_dependency_install",
    "sleep_tool",
    "api_key_model_discovery",
    "system_proxy_fallback",
    "enable_request_compression",
    "guardian_approval",
    "workspace_dependencies",
    "view_image",
)
_PLAIN: Final[Mapping[str, Any]] = {
    "approval_policy": "never",
    "sandbox_mode": "read-only",
    "web_search": "disabled",
    "check_for_update_on_startup": False,
    "project_doc_max_bytes": 0,
    "cli_auth_credentials_store": "file",
    "mcp_oauth_credentials_store": "file",
    "suppress_unstable_features_warning": True,
    "allow_login_shell": False,
    "include_apps_instructions": False,
    "include_permissions_instructions": False,
    "include_environment_context": False,
    "history": {"persistence": "none"},
    "analytics": {"enabled": False},
    "feedback": {"enabled": False},
    "otel": {
        "exporter": "none",
        "trace_exporter": "none",
        "metrics_exporter": "none",
        "log_user_prompt": False,
    },
    "skills": {"include_instructions": False, "bundled": {"enabled": False}},
    "agents": {"enabled": False},
    # Without it a command that the model runs would inherit the key.
    "shell_environment_policy": {
        "inherit": "none",
        "set": {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "SHLVL": "1",
            "HOME": "/nonexistent",
        },
    },
}


def write_settings(
    home: Path, config: CodexProposerConfig, *, features: frozenset[str], models: frozenset[str]
) -> None:
    """Write ``config.toml``, and a catalogue of one model where codex does not know the configured one.

    Args:
        home: The private CODEX_HOME.
        config: The proposer's table.
        features: Features that this codex knows; the name of another would stop it.
        models: Models that this codex knows.
    """
    table = settings(config, features)
    if config.model not in models:
        catalogue = home / "models.json"
        catalogue.write_text(json.dumps({"models": [model_entry(config)]}, indent=1), encoding="utf-8")
        table = {"model_catalog_json": str(catalogue), **table}
    (home / "config.toml").write_text(toml.dump(merged(table, config.extra_config)), encoding="utf-8")


def settings(config: CodexProposerConfig, features: frozenset[str]) -> dict[str, Any]:
    """Give the settings as a table; holds no secret, only the name of the key's variable."""
    return {
        "model": config.model,
        "model_provider": PROVIDER,
        **_PLAIN,
        "features": {name: False for name in _FEATURES_OFF if name in features},
        "model_providers": {PROVIDER: _provider(config)},
    }


def _provider(config: CodexProposerConfig) -> dict[str, Any]:
    key = {"env_key": KEY_VARIABLE} if config.key_variable else {}
    return {
        "name": PROVIDER,
        "base_url": config.url,
        "wire_api": "responses",
        **key,
        "requires_openai_auth": False,
        "supports_websockets": False,
        # Low, for the retries of each layer multiply.
        "request_max_retries": 1,
        "stream_max_retries": 1,
        "stream_idle_timeout_ms": max(1, int(config.message_stall_timeout_seconds * 1000)),
    }


def model_entry(config: CodexProposerConfig) -> dict[str, Any]:
    """Describe a model that codex does not know, so that it needs no guesses of its own."""
    effort = config.reasoning_effort
    levels = [{"effort": effort, "description": effort}] if effort else []
    return {
        "slug": config.model,
        "display_name": config.model,
        "supported_reasoning_levels": levels,
        "shell_type": "shell_command",
        "visibility": "list",
        "supported_in_api": True,
        "priority": 1,
        "support_verbosity": False,
        "truncation_policy": {"mode": "bytes", "limit": 10_000},
        "experimental_supported_tools": [],
        "context_window": _WINDOW,
        "base_instructions": "You answer in the format that is asked for.",
    }


def merged(table: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Give the table with another laid over it, table by table."""
    result = dict(table)
    for key, value in extra.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result
