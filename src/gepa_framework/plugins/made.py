"""What a factory gave, held against the Protocol of its kind."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType

from gepa_framework.errors import PluginBrokenError
from gepa_framework.plugins.found import Found
from gepa_framework.types import Cache, Executor, Kind, Listener, Proposer, Stopper, Store, Transport

#: What each kind of factory makes; extras make nothing.
_PROTOCOLS: Mapping[Kind, type[object]] = MappingProxyType(
    {
        Kind.PROPOSER: Proposer,
        Kind.TRANSPORT: Transport,
        Kind.CACHE: Cache,
        Kind.STOPPER: Stopper,
        Kind.EXECUTOR: Executor,
        Kind.LISTENER: Listener,
        Kind.STORE: Store,
    }
)

_SHOWN_CHARS = 200


def check_made(found: Found, made: object) -> None:
    """Make sure that a factory gave what it was asked for.

    Raises:
        PluginBrokenError: It gave nothing, a class, or something that lacks a method, or has one that answers
            in a coroutine where the answer itself is due.
    """
    protocol, where = _PROTOCOLS[found.kind], f"{found.owner}: {found.kind.hook}"
    if made is None:
        raise PluginBrokenError(f"{where} returned None", hint=f"return the {found.kind}")
    if isinstance(made, type):
        raise PluginBrokenError(
            f"{where} returned the class {made.__name__}", hint="return an instance of it"
        )
    # isinstance would ask only whether the names are there
    wanted = [member for member in vars(protocol) if not member.startswith("_")]
    lacking = [member for member in wanted if not callable(getattr(made, member, None))]
    if lacking:
        raise PluginBrokenError(
            f"{where} returned no {protocol.__name__} but {_shown(made)}",
            hint=f"it lacks the method{'s'[: len(lacking) - 1]} {', '.join(lacking)}",
        )
    for member in wanted:
        # The other way round it may still give something to wait for, which only a call can tell.
        if _asynchronous(getattr(made, member)) and not _asynchronous(getattr(protocol, member)):
            raise PluginBrokenError(
                f"{where} returned a {protocol.__name__} whose method {member} is asynchronous",
                hint="nobody waits for its answer: use def",
            )


def _shown(made: object) -> str:
    try:
        return repr(made)[:_SHOWN_CHARS]
    except Exception:  # noqa: BLE001 - what it is matters, and not how it wants to be shown
        return f"an object of the class {type(made).__name__}"


def _asynchronous(method: object) -> bool:
    return inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
