"""All that is looked at in a plugin for ``gepa plugins check``, short of using it."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from gepa_framework.config.options import read_options
from gepa_framework.config.plugin_class import check_config_class
from gepa_framework.errors import ConfigError, PluginBrokenError
from gepa_framework.hookspecs import PROJECT
from gepa_framework.net.redact import Redactor, secrets_of
from gepa_framework.plugins import Found, Plugins, Probed, probe
from gepa_framework.types import BuildContext, Kind

_AT_ONCE = 4
_EXAMINE = f"{__name__}:examine"


def check_plugins(founds: Sequence[Found], seconds: float) -> Iterator[Probed]:
    """Look at plugins, each in a process of its own, and give what came of it in their order.

    Args:
        founds: The plugins.
        seconds: How long each may take from its import on.

    Raises:
        GepaError: A process could not be started.
    """
    stopped = Event()
    with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1), thread_name_prefix="gepa-probe") as pool:
        asked = [pool.submit(probe, found, _EXAMINE, seconds, stopped.is_set) for found in founds]
        try:
            for each in asked:
                yield each.result()
        finally:
            # Nobody waits for the rest if one could not be looked at, or the user has seen enough.
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)


def examine(kind: Kind, name: str, place: str, tell: Callable[[str], None]) -> str:
    """Look at one plugin: import it, check it, build it with its defaults, and close what it built.

    Args:
        kind: Its kind.
        name: Its name, as ``dist:name``.
        place: An empty directory.
        tell: Told of each stage before it begins.

    Returns:
        What could not be looked at, and why.

    Raises:
        GepaError: Something is wrong with it.
    """
    plugins = Plugins.discover()
    tell("import")
    loaded = plugins.load(kind, name)
    if kind is Kind.EXTRA:
        tell("commands")
        if _implements(loaded.plugin, "gepa_cli_commands"):
            plugins.commands(name).check()
        return ""
    tell("config")
    owner = loaded.found.owner
    check_config_class(loaded.info.config, owner)
    try:
        options: object = read_options(loaded.info.config, {})
    except ConfigError as error:
        return _unbuilt(error)
    tell("build")
    try:
        made = getattr(plugins, f"make_{kind}")(name, options, _context(Path(place)))
    except ConfigError as error:
        return _unbuilt(error)
    if left := sorted(path.name for path in Path(place).iterdir()):
        raise PluginBrokenError(
            f"{owner}: {kind.hook} wrote {', '.join(left)}",
            hint="a factory does no IO; open files with the first call that needs them",
        )
    tell("close")
    _close(owner, made)
    return ""


def _implements(plugin: object, hook: str) -> bool:
    return getattr(getattr(plugin, hook, None), f"{PROJECT}_impl", None) is not None


def _unbuilt(error: ConfigError) -> str:
    wrong = [f"{problem.path or 'its table'} {problem.message}" for problem in error.problems]
    return f"not built with its defaults: {', '.join(wrong) or error.message}"


def _context(place: Path) -> BuildContext:
    environ = dict(os.environ)
    return BuildContext(
        run_id="check",
        run_dir=place / "run",
        base_dir=place,
        environ=environ,
        redact=Redactor(secrets_of(environ)),
    )


def _close(owner: str, made: Any) -> None:
    """Close what was never used, which must do nothing; a stopper has nothing to be closed."""
    if (close := getattr(made, "close", None)) is None:
        return
    try:
        given = close()
        if inspect.isawaitable(given):
            asyncio.run(_awaited(given))
    except (Exception, SystemExit) as error:
        raise PluginBrokenError(
            f"{owner}: closing what was never used raised {type(error).__name__}: {error}",
            hint="close may be called at any time, more than once",
        ) from error


async def _awaited(given: Any) -> None:
    await given
