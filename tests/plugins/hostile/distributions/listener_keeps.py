"""Keeps the thread, until it hears that this is told of it."""

from __future__ import annotations

import logging
import threading

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.LISTENER, "listener_keeps", ">=1.0,<2")


class Ear(logging.Handler):
    def __init__(self):
        super().__init__()
        self.heard = threading.Event()

    def emit(self, record):
        if "gf-listener-keeps" in record.getMessage():
            self.heard.set()


class Bad:
    def on_event(self, event):
        if event.type != "gepa.run.started":
            return
        ear, logger = Ear(), logging.getLogger("gepa_framework")
        logger.addHandler(ear)
        if not ear.heard.wait(20):
            raise TimeoutError("nobody minds")
        logger.removeHandler(ear)

    def close(self): ...


@hookimpl
def gepa_make_listener():
    return Bad()
