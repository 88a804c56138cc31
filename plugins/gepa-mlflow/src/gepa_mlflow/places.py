"""Where runs are recorded: the address, what of it may be shown, and whether anybody is there."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import attrs

from gepa_framework.net import Redactor
from gepa_framework.types import BuildContext
from gepa_mlflow.config import MlflowConfig

_SQLITE: Final = "sqlite:///"
_KNOCK_SECONDS: Final = 3.0
_PORTS: Final = {"http": 80, "https": 443}
_HIDDEN: Final = "[redacted]"


@attrs.frozen
class Place:
    """Where a run is recorded.

    Attributes:
        uri: The tracking URI.
        experiment: The experiment's name.
        artifacts: Where an experiment that is made keeps artifacts; ``None`` where the server decides.
        redact: Takes secrets out of a text.
    """

    uri: str = attrs.field(repr=False)
    experiment: str
    artifacts: str | None
    redact: Callable[[str], str] = attrs.field(repr=False)

    @classmethod
    def of(cls, config: MlflowConfig, context: BuildContext) -> Place:
        """Give the place that configuration and environment name."""
        base = context.base_dir.absolute()
        given = context.environ.get("MLFLOW_TRACKING_URI", "")
        uri = _beside(config.tracking_uri, base) or given or f"{_SQLITE}{base / 'mlflow.db'}"
        experiment = config.experiment or context.environ.get("MLFLOW_EXPERIMENT_NAME", "") or "gepa"
        known = Redactor(_passwords(uri))
        return cls(uri, experiment, _artifacts(uri), lambda text: context.redact(known(text)))

    @property
    def shown(self) -> str:
        """The address as messages have it, without user and password; where it is malformed, its scheme."""
        if self.uri.startswith(_SQLITE):
            return self.uri
        parts = _split(self.uri)
        if parts is None or "@" in parts.path + parts.query + parts.fragment:
            scheme, mark, _ = self.uri.partition("://")
            return f"{scheme}://{_HIDDEN}" if mark else _HIDDEN
        return self.redact(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")))

    def unreachable(self) -> str:
        """Say why nothing can be recorded there; nothing where it may be.

        MLflow tries for minutes to reach a server that is down, or to open what is no database.
        """
        if self.uri.startswith(_SQLITE):
            return _closed(self.uri)
        parts = _split(self.uri)
        if parts is None:
            return "that is no address; what a password has of /, ?, #, [ and @ is to be percent-encoded"
        host = parts.hostname
        if parts.scheme not in _PORTS or host is None or _is_proxied(parts.scheme, host):
            return ""
        try:
            socket.create_connection((host, parts.port or _PORTS[parts.scheme]), _KNOCK_SECONDS).close()
        except (OSError, UnicodeError) as error:
            return self.redact(str(error))
        return ""


def _beside(uri: str | None, base: Path) -> str | None:
    """Make relative what is relative to the configuration file."""
    if uri is None or not uri.startswith(_SQLITE):
        return uri
    path, mark, options = uri.removeprefix(_SQLITE).partition("?")
    return f"{_SQLITE}{base / Path(path).expanduser()}{mark}{options}"


def _artifacts(uri: str) -> str | None:
    """Give a directory beside the database: without one MLflow takes the current directory of the process."""
    if not uri.startswith(_SQLITE):
        return None
    path = Path(uri.removeprefix(_SQLITE).partition("?")[0])
    return (path.absolute().parent / "mlruns").as_uri()


def _closed(uri: str) -> str:
    """Say why a database file cannot be opened; nothing where it can."""
    path = Path(uri.removeprefix(_SQLITE).partition("?")[0])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(path, timeout=_KNOCK_SECONDS)) as database:
            database.execute("PRAGMA schema_version").fetchone()
    except (OSError, sqlite3.Error) as error:
        return str(error)
    return ""


def _split(uri: str) -> SplitResult | None:
    """Give the parts of an address; ``None`` where it is none."""
    try:
        parts = urlsplit(uri)
        _ = parts.port  # raises where that is no number, but part of a password, say
    except ValueError:
        return None
    return parts


def _passwords(uri: str) -> tuple[str, ...]:
    """Give the password, and what is meant to be one where it is not encoded as it should be."""
    if uri.startswith(_SQLITE):
        return ()
    parts = _split(uri)
    _, mark, rest = uri.partition("://")
    meant = (rest if mark else uri).rpartition("@")[0].partition(":")[2]
    return tuple({each for each in (meant, parts and parts.password) if each})


def _is_proxied(scheme: str, host: str) -> bool:
    return scheme in getproxies() and not proxy_bypass(host)
