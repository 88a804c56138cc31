"""Leaves a thread and a process behind that never end, and is sound otherwise."""

from __future__ import annotations

import subprocess
import sys
import threading

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
threading.Thread(target=threading.Event().wait).start()

plugin_info = PluginInfo(Kind.STOPPER, "leaves_threads", ">=1.0,<2")


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
