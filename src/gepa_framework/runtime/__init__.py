"""The runtime: asyncio between the machine and the world."""

from __future__ import annotations

from gepa_framework.runtime.aimd import Aimd, AimdRule
from gepa_framework.runtime.caching import CacheMode, EffectCache
from gepa_framework.runtime.crew import disown
from gepa_framework.runtime.driver import Driver
from gepa_framework.runtime.foreign import FOREIGN
from gepa_framework.runtime.gate import Gate
from gepa_framework.runtime.limits import CallLimits
from gepa_framework.runtime.listening import Audience, Hub, OnError
from gepa_framework.runtime.pace import Pace
from gepa_framework.runtime.perform import Performer
from gepa_framework.runtime.replay import replay
from gepa_framework.runtime.requests import RequestDigests
from gepa_framework.runtime.retry import RetryPolicy
from gepa_framework.runtime.standstill import standstill_told
from gepa_framework.runtime.world import World

__all__ = [
    "FOREIGN",
    "Aimd",
    "AimdRule",
    "Audience",
    "CacheMode",
    "CallLimits",
    "Driver",
    "EffectCache",
    "Gate",
    "Hub",
    "OnError",
    "Pace",
    "Performer",
    "RequestDigests",
    "RetryPolicy",
    "World",
    "disown",
    "replay",
    "standstill_told",
]
