"""The listener: counts events, and shows the counts to whoever asks."""

from __future__ import annotations

import copy
import logging
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from prometheus_client import CollectorRegistry

from gepa_framework.errors import PluginError
from gepa_framework.types import BuildContext, Event
from gepa_prometheus.config import RUN_LABEL, PrometheusConfig
from gepa_prometheus.families import RunCollector
from gepa_prometheus.files import TargetFile, TextFile
from gepa_prometheus.record import recorded
from gepa_prometheus.server import MetricsServer, address
from gepa_prometheus.tally import Tally

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not listened on


class PrometheusListener:
    """Tells Prometheus of one run; opens nothing before the first event.

    Args:
        config: How it is told.
        context: The run.
    """

    def __init__(self, config: PrometheusConfig, context: BuildContext) -> None:
        self._config = config
        self._run_id = context.run_id
        self._run_dir = context.run_dir
        self._base_dir = context.base_dir
        self._logger: logging.Logger = context.logger
        self._tally = Tally()
        self._guard = threading.Lock()
        self._server: MetricsServer | None = None
        self._open = ExitStack()
        self._begun = self._closed = False

    @property
    def port(self) -> int | None:
        """The port that is listened on, once it is."""
        return self._server.port if self._server else None

    def on_event(self, event: Event) -> None:
        """Count one event; the first one opens the port and writes the files.

        Raises:
            PluginError: The port is taken or a file cannot be written, at the first event; events are counted
                all the same. Or the listener is closed.
        """
        if self._closed:
            raise PluginError("the listener of Prometheus is closed")
        with self._guard:
            if event.seq != self._tally.seq + 1:
                self._tally = self._on_record(event.seq)
            self._tally.add(event)
            self._tally.heard_at = time.time()
        if not self._begun:
            self._begun = True
            self._begin()

    def close(self) -> None:
        """Let the end be seen where that is asked for, and let go of port and files.

        It takes `linger_seconds` at the most, and some moments; Ctrl-C ends the wait.
        """
        if self._closed:
            return
        self._closed = True
        with self._guard:
            self._tally.left(time.time())
        with self._open:
            if self._server is not None and self._config.linger_seconds:
                self._linger(self._server)

    def _linger(self, server: MetricsServer) -> None:
        try:
            seen = server.wait_for_scrape(self._config.linger_seconds)
        except KeyboardInterrupt:
            # The run is over, and its results are still to be written: it is this wait that is to end.
            seen = False
        if not seen:
            self._logger.info("nobody scraped the end within %g s", self._config.linger_seconds)

    def _begin(self) -> None:
        """Open everything that is asked for; what cannot be opened keeps nothing else from it."""
        errors: list[PluginError] = []
        for opening in (self._write_text, self._serve):
            try:
                opening()
            except PluginError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _write_text(self) -> None:
        if self._config.textfile_dir is not None:
            labels = {RUN_LABEL: self._run_id, **self._config.labels}
            path = self._base_dir / Path(self._config.textfile_dir).expanduser() / self._name("prom")
            file = TextFile(path, self._registry(labels))
            file.start()
            self._open.callback(file.close)

    def _serve(self) -> None:
        config = self._config
        if not config.http:
            return
        self._server = MetricsServer(config.host, config.port, self._registry({}))
        self._open.callback(self._server.close)
        host = config.advertise or (socket.gethostname() if config.host in _EVERYWHERE else config.host)
        where = address(host, self._server.port)
        self._logger.info("metrics of the run are at http://%s/metrics", where)
        file = TargetFile(self._targets())
        file.write(where, {RUN_LABEL: self._run_id, **config.labels})
        self._open.callback(file.close)

    def _targets(self) -> Path:
        if self._config.targets_dir is None:
            return self._run_dir / "prometheus.json"
        return self._base_dir / Path(self._config.targets_dir).expanduser() / self._name("json")

    def _name(self, suffix: str) -> str:
        return f"gepa-{self._run_id}.{suffix}"

    def _registry(self, labels: dict[str, str]) -> CollectorRegistry:
        # One of its own: two runs of one process have the same metrics.
        registry = CollectorRegistry()
        registry.register(RunCollector(self._run_id, self._snapshot, labels))
        return registry

    def _snapshot(self) -> Tally:
        with self._guard:
            return copy.deepcopy(self._tally)

    def _on_record(self, before: int) -> Tally:
        """Count what a resumed run has on record, which no listener is told again."""
        tally = Tally()
        try:
            for event in recorded(self._run_dir, before):
                tally.add(event)
        except OSError as error:
            self._logger.debug("what is on record cannot be read: %s", error)
        if tally.seq != before - 1:
            self._logger.warning(
                "events %d to %d are not in %s: the metrics do not count them",
                tally.seq + 1,
                before - 1,
                self._run_dir / "events.jsonl",
            )
        return tally
