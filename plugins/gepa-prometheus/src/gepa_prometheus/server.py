"""The HTTP server that Prometheus scrapes: threads that end with the run, and no client holds one up."""

from __future__ import annotations

import logging
import socket
import socketserver
import sys
import threading
from contextlib import suppress
from http.server import ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, MetricsHandler

from gepa_framework.errors import PluginError

_LOGGER = logging.getLogger(__name__)
#: How long a client may take to ask, and to take its answer.
_CLIENT_SECONDS = 5.0
#: How often the server looks whether it is to end, and how long its end may take.
_POLL_SECONDS = 0.05
_CLOSING_SECONDS = 2.0


class MetricsServer:
    """Serves one registry until it is closed.

    Args:
        host: Address that is listened on.
        port: Port that is listened on; 0 for one that is free.
        registry: What is served.

    Raises:
        PluginError: The address cannot be listened on.

    Attributes:
        port: The port that is listened on.
    """

    def __init__(self, host: str, port: int, registry: CollectorRegistry) -> None:
        self._server = _listening(host, port, _Handler.factory(registry))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="gepa-prometheus", daemon=True
        )
        self._thread.start()

    def wait_for_scrape(self, seconds: float) -> bool:
        """Wait until somebody has asked after this call, and tell whether somebody has.

        Args:
            seconds: How long at the most.
        """
        self._server.awaited.set()
        return self._server.scraped.wait(seconds)

    def close(self) -> None:
        """Answer nobody any more; clients that are still there are cut off."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_CLOSING_SECONDS)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[_Handler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.awaited, self.scraped = threading.Event(), threading.Event()
        self._clients: set[Any] = set()
        self._guard = threading.Lock()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # The one of HTTPServer asks the name service for the name of the host, which may take its time.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        client, address = super().get_request()
        with self._guard:
            self._clients.add(client)
        return client, address

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._clients.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        with self._guard:
            for client in self._clients:
                _cut_off(client)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - theirs
        # Of a client that went away, mostly: nothing that standard error should hold.
        _LOGGER.debug("a scrape by %s failed: %s", client_address, sys.exception())


class _Handler(MetricsHandler):
    timeout = _CLIENT_SECONDS
    server: _Server

    def do_GET(self) -> None:  # noqa: N802 - theirs
        awaited = self.server.awaited.is_set()
        super().do_GET()
        if awaited:
            self.server.scraped.set()


def _listening(host: str, port: int, handler: type[_Handler]) -> _Server:
    try:
        return _Server((host, port), handler)
    except OSError as error:
        raise PluginError(
            f"the metrics cannot be served at {address(host, port)}: {error.strerror or error}",
            hint="free it, or give the listener another host or port; port 0 is one that is free",
        ) from error


def _cut_off(client: socket.socket) -> None:
    with suppress(OSError):  # it may be gone already
        client.shutdown(socket.SHUT_RDWR)


def address(host: str, port: int) -> str:
    """Give an address as URLs and targets have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
