"""Looking at a plugin from a process of its own, which may crash, hang or end itself and harm nobody."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Mapping
from types import MappingProxyType

import attrs

from gepa_framework.errors import GepaError, PluginBrokenError
from gepa_framework.plugins.found import Found
from gepa_framework.plugins.probe_process import Ended, ProbeProcess

#: What a stage is called where the plugin did not get past it.
_STAGES: Mapping[str, str] = MappingProxyType(
    {
        "import": "while it was imported",
        "config": "while its configuration class was looked at",
        "build": "while it was built",
        "close": "while what it had built was closed",
        "commands": "while it was asked for its commands",
    }
)


@attrs.frozen
class Probed:
    """What came of looking at one plugin.

    Attributes:
        found: Which one.
        error_code: What is wrong with it; empty where nothing was found.
        message: The same in words, with its owner.
        hint: What to do about it.
        note: What could not be looked at, and why; empty where everything was.
        seconds: How long it took, from the import on.
        said: The end of what the plugin wrote to stderr.
    """

    found: Found
    error_code: str = ""
    message: str = ""
    hint: str = ""
    note: str = ""
    seconds: float = 0.0
    said: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.error_code


def probe(found: Found, examine: str, seconds: float, stopped: Callable[[], bool] = lambda: False) -> Probed:
    """Look at one plugin in a process of its own; nothing of that process is left when this returns.

    Args:
        found: The plugin.
        examine: What looks at it there, as ``module:function``.
        seconds: How long that may take from the import on.
        stopped: Asked now and then whether to give up.

    Raises:
        GepaError: The process could not be started, or was given up.
    """
    with tempfile.TemporaryDirectory(prefix="gepa-probe-", ignore_cleanup_errors=True) as place:
        request = {"examine": examine, "kind": found.kind.value, "name": found.qualified, "place": place}
        with ProbeProcess(request, seconds, stopped) as process:
            ended = process.wait()
    if ended.given_up:
        raise GepaError(f"looking at {found.owner} was given up")
    if ended.result is None and not ended.stage:
        raise GepaError(
            f"the process that looks at plugins did not start: {ended.said or _how_it_ended(ended)}",
            hint="see whether there is memory and room for another process",
        )
    told = _fault(found, ended, seconds) if ended.result is None else _told(ended.result)
    return Probed(found, **told, seconds=ended.seconds, said=ended.said)


def _told(result: Mapping[str, object]) -> dict[str, str]:
    return {key: str(result.get(key, "")) for key in ("error_code", "message", "hint", "note")}


def _fault(found: Found, ended: Ended, seconds: float) -> dict[str, str]:
    when = _STAGES.get(ended.stage, "")
    if ended.code is None:
        message = f"{found.owner} ({found.target}) took longer than {seconds:g} s {when}"
        hint = "it must not wait for anything there; tell its makers, or allow more with --timeout"
    else:
        message = f"{found.owner} ({found.target}) {_how_it_ended(ended)} {when}"
        hint = f"pip install --force-reinstall {found.dist}, or tell its makers"
    return {"error_code": PluginBrokenError.error_code, "message": message, "hint": hint}


def _how_it_ended(ended: Ended) -> str:
    if ended.code is None:
        return "gave no answer"
    if ended.code >= 0:
        return f"ended the process with exit code {ended.code}"
    try:
        return f"crashed with {signal.Signals(-ended.code).name}"
    except ValueError:
        return f"crashed with signal {-ended.code}"
