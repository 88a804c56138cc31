"""The body of a rollout request: what the container is told, and what it is never told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from gepa_framework.errors import ContainerContractError
from gepa_framework.net import Redactor
from gepa_framework.types import JSONObject, JSONValue, RolloutRequest, TaskRow
from gepa_synth_containers.contract import mapping

#: The fields that the contract's own policy model has; everything else travels in its `config`.
POLICY_FIELDS: Final = frozenset(
    {
        "provider",
        "model",
        "api_family",
        "base_url",
        "inference_url",
        "max_tokens",
        "disable_reasoning",
        "tool_call_style",
        "proxy_mode",
        "credential_mode",
        "config",
    }
)
_CREDENTIALS = frozenset(
    {"access_token", "api_key", "apikey", "auth_token", "authorization", "bearer_token", "password", "secret"}
)
_CREDENTIAL_ENDS = ("_api_key", "_secret", "_secret_key", "_password", "_access_token", "_auth_token")
_looks_secret = Redactor()


def _is_credential(name: str, value: JSONValue) -> bool:
    plain = name.strip().lower().replace("-", "_")
    if plain in _CREDENTIALS or f"_{plain}".endswith(_CREDENTIAL_ENDS):
        return True
    return isinstance(value, str) and _looks_secret(value) != value


def _find_credential(value: JSONValue, path: str) -> str | None:
    items: list[tuple[str, JSONValue]] = []
    if isinstance(value, Mapping):
        items = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, list | tuple):
        items = [(str(index), item) for index, item in enumerate(value)]
    for name, item in items:
        here = f"{path}.{name}"
        if _is_credential(name, item):
            return here
        below = _find_credential(item, here)
        if below is not None:
            return below
    return None


def policy_body(policy: JSONObject) -> JSONObject | None:
    """Give the policy as the container's own model takes it; ``None`` when there is none or it is off.

    Settings that the model does not have, such as ``api_key_env``, travel in ``policy.config``.

    Raises:
        ContainerContractError: It holds what looks like a credential.
    """
    if not policy or policy.get("enabled") is False:
        return None
    place = _find_credential(policy, "policy")
    if place is not None:
        raise ContainerContractError(
            f"{place} looks like a credential, and rollout requests carry none",
            hint="name an environment variable of the container's process instead, such as api_key_env",
        )
    known = {name: value for name, value in policy.items() if name in POLICY_FIELDS and value is not None}
    further = {
        name: value
        for name, value in policy.items()
        if name not in POLICY_FIELDS and name != "enabled" and value is not None
    }
    if further:
        known["config"] = {**further, **mapping(policy.get("config"))}
    return known


def without_fields(value: JSONValue, names: Collection[str]) -> JSONValue:
    """Give a copy of a JSON value that has the named fields nowhere."""
    if isinstance(value, Mapping):
        return {key: without_fields(item, names) for key, item in value.items() if key not in names}
    if isinstance(value, list | tuple):
        return [without_fields(item, names) for item in value]
    return value


def _metadata(request: RolloutRequest) -> JSONObject:
    seed = {} if request.row.seed is None else {"seed": request.row.seed}
    return {"candidate_id": request.candidate.id, "evaluation_stage": request.stage.value, **seed}


def _row(row: TaskRow, hidden: Collection[str]) -> JSONValue:
    return without_fields(row.data, hidden) if hidden else row.data


def rollout_body(
    request: RolloutRequest, *, mode: str, row_field: str, hidden: Collection[str] = ()
) -> JSONObject:
    """Give the body of ``POST /rollouts``.

    Args:
        request: What is to be run.
        mode: ``sync`` or ``async``.
        row_field: The key that the row has: ``task`` or ``dataset_row``.
        hidden: Names of row fields that are left out.

    Raises:
        ContainerContractError: The policy holds what looks like a credential.
    """
    policy = policy_body(request.policy)
    return {
        "rollout_id": request.rollout_id,
        "submission_mode": mode,
        "task_id": request.task_id,
        row_field: _row(request.row, hidden),
        "candidate": request.candidate.components,
        "candidate_overlay": {"candidate": request.candidate.components, "metadata": {}},
        **({} if policy is None else {"policy": policy}),
        "metadata": _metadata(request),
    }
