"""Answers what codex asks of its client: nothing is ever granted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

_ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "item/commandExecution/requestApproval": {"decision": "decline"},
        "item/fileChange/requestApproval": {"decision": "decline"},
        "item/permissions/requestApproval": {"permissions": {}, "scope": "turn"},
        "item/tool/requestUserInput": {"answers": {}},
        "mcpServer/elicitation/request": {"action": "decline", "content": None},
        "applyPatchApproval": {"decision": "denied"},
        "execCommandApproval": {"decision": "denied"},
    }
)


def refusal(request_id: object, method: str) -> dict[str, Any]:
    """Give the whole answer to a request of the server; an unknown one gets an error, so that none waits."""
    if method in _ANSWERS:
        return {"id": request_id, "result": _ANSWERS[method]}
    error = {"code": -32601, "message": f"{method[:200]} is not offered by this client"}
    return {"id": request_id, "error": error}
