"""From the configuration to a container that answers."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import attrs

from gepa_framework.errors import TransportError
from gepa_framework.net import HttpClient, HttpError
from gepa_framework.types import BuildContext
from gepa_synth_containers.config import SynthContainersConfig
from gepa_synth_containers.process import HOST, LOG_NAME, ContainerProcess, Launch, fill, free_port

_PROBE_SECONDS: Final = 2.0
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.25
_NO_SUCH_ROUTE: Final = frozenset({404, 405})


@attrs.frozen
class Place:
    """Where the container is, or will be, and what ``{port}`` and the like stand for."""

    url: str
    host: str
    port: int
    values: Mapping[str, str]


def place_of(config: SynthContainersConfig) -> Place:
    """Say where the container is; a port that is left open is chosen now."""
    url = config.url or "http://{host}:{port}"
    chosen = {"host": HOST, "python": sys.executable}
    if "{port}" in url:
        chosen["port"] = str(free_port())
    url = fill(url, chosen)
    parts = urlsplit(url)
    host = parts.hostname or HOST
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Place(url, host, port, {**chosen, "host": host, "port": str(port)})


def launch_of(
    config: SynthContainersConfig, context: BuildContext, place: Place, secrets: tuple[str, ...]
) -> Launch:
    """Say how the container is started.

    It inherits the whole environment, because the policy's provider keys are its own business; ``PORT`` is
    set besides.
    """
    return Launch(
        command=tuple(fill(word, place.values) for word in config.command),
        cwd=context.base_dir / Path(config.cwd or "."),
        environ={**os.environ, **context.environ, "PORT": str(place.port)},
        log=context.run_dir / LOG_NAME,
        secrets=secrets,
        grace_seconds=config.shutdown_timeout_seconds,
    )


def _is_taken(place: Place) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            return probe.connect_ex((place.host, place.port)) == 0
        except OSError:
            return False


async def start(launch: Launch, place: Place) -> ContainerProcess:
    """Start the container's process.

    Raises:
        TransportError: Its port is taken, or it cannot be started.
    """
    if await asyncio.to_thread(_is_taken, place):
        raise TransportError(
            f"another process listens on {place.host}:{place.port} already, so [container] command cannot "
            "serve there",
            hint="stop that process, drop 'command' to use it as it is, or write {port} in url to have a "
            "free port chosen",
        )
    return ContainerProcess(launch)


async def _is_ready(client: HttpClient) -> str:
    """Give an empty text when the container answers, else what is in the way."""
    try:
        await client.request("GET", "/health", timeout=_PROBE_SECONDS)
    except HttpError as error:
        if error.status not in _NO_SUCH_ROUTE:
            return error.message
        return await _has_metadata(client)
    return ""


async def _has_metadata(client: HttpClient) -> str:
    try:
        await client.request("GET", "/metadata", timeout=_PROBE_SECONDS)
    except HttpError as error:
        return error.message
    return ""


async def wait_until_ready(process: ContainerProcess, client: HttpClient, seconds: float) -> None:
    """Wait until ``/health`` answers; a container without one is ready when ``/metadata`` answers.

    Raises:
        TransportError: The process has ended, or has not answered in time.
    """
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        in_the_way = await _is_ready(client)
        if process.exit_code is not None:
            raise TransportError(process.obituary())
        if not in_the_way:
            return
        if time.monotonic() >= deadline:
            break
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    raise TransportError(
        f"the container was not ready within {seconds:g} s: {in_the_way}; the end of its log:\n"
        f"{process.log_tail() or '(it wrote nothing)'}",
        hint="raise container.startup_timeout_seconds, or look at container.log in the run's directory",
    )
