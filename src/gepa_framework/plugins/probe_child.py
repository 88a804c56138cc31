"""The process in which a plugin is looked at, from within."""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import resource
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias

from gepa_framework.errors import GepaError, PluginBrokenError
from gepa_framework.types import Kind

#: Told of each stage before it begins.
Tell: TypeAlias = "Callable[[str], None]"
#: Looks at a plugin, given its kind, its name, a directory that is thrown away, and whom to tell; gives what
#: could not be looked at, and why.
Examine: TypeAlias = "Callable[[Kind, str, str, Tell], str]"

#: Of a message; a plugin may raise whatever it likes.
_TOLD_CHARS = 4000


def main(request: Mapping[str, Any]) -> NoReturn:
    """Look at one plugin, tell what was found, and end, whatever the plugin has left running."""
    # A native crash leaves a traceback and no file.
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    channel: int = request["channel"]
    os.set_inheritable(channel, False)
    module, _, function = request["examine"].partition(":")
    examine: Examine = getattr(importlib.import_module(module), function)

    def tell(stage: str) -> None:
        _write(channel, {"stage": stage})

    _write(channel, {"result": _result(request, examine, tell)})
    os._exit(0)


def _result(request: Mapping[str, Any], examine: Examine, tell: Tell) -> Mapping[str, str]:
    try:
        note = examine(Kind(request["kind"]), request["name"], request["place"], tell)
    except GepaError as error:
        return _failure(error.error_code, error.message, error.hint)
    except BaseException as error:  # noqa: BLE001 - this process is there for whatever a plugin raises
        told = f"{request['name']} raised {type(error).__name__}: {error}"
        return _failure(PluginBrokenError.error_code, told, "tell its makers")
    return {"note": note}


def _failure(code: str, message: str, hint: str) -> Mapping[str, str]:
    return {"error_code": code, "message": message[:_TOLD_CHARS], "hint": hint[:_TOLD_CHARS]}


def _write(channel: int, message: Mapping[str, object]) -> None:
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(channel, data) :]
