"""Ends the process while it is imported, and leaves no time for anybody to object."""

from __future__ import annotations

import os

os._exit(0)
