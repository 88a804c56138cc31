"""What ships inside the framework, as plugins that are found and loaded like anybody's."""

from __future__ import annotations
