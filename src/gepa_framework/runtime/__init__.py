"""The runtime: asyncio between the machine and the world."""

from __future__ import annotations

from gepa_framework.runtime.caching import CacheMode, EffectCache
from gepa_framework.runtime.driver import Driver, Pace
from gepa_framework.runtime.listening import Audience, Hub, OnError
from gepa_framework.runtime.perform import Performer, World
from gepa_framework.runtime.replay import replay
from gepa_framework.runtime.requests import RequestDigests
from gepa_framework.runtime.retry import RetryPolicy

__all__ = [
    "Audience",
    "CacheMode",
    "Driver",
    "EffectCache",
    "Hub",
    "OnError",
    "Pace",
    "Performer",
    "RequestDigests",
    "RetryPolicy",
    "World",
    "replay",
]
