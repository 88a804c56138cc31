"""What holds for every plugin of a kind, as pytest classes: subclass one, and say which plugin is meant.

Each test is one promise, which its docstring tells. A fixture that must be overridden and is not makes every
test that needs it end in an error. A plugin that claims a capability is tested by the contract of that too.
They need the extra ``testing``: pytest and hypothesis, which the framework itself does not.
"""

from __future__ import annotations

import pytest

for _name in (
    "info",
    "proposer",
    "transport",
    "http_transport",
    "cache",
    "stopper",
    "executor",
    "listener",
    "store",
    "scenario",
):
    pytest.register_assert_rewrite(f"{__name__}.{_name}")

from gepa_framework.testing.contracts.cache import CacheContract, SharedCacheContract
from gepa_framework.testing.contracts.executor import ConcurrentExecutorContract, ExecutorContract
from gepa_framework.testing.contracts.http_transport import HttpTransportContract
from gepa_framework.testing.contracts.info import PluginInfoContract
from gepa_framework.testing.contracts.listener import (
    EffectListenerContract,
    ListenerContract,
    PersistentListenerContract,
)
from gepa_framework.testing.contracts.proposer import (
    ConcurrentProposerContract,
    DeterministicProposerContract,
    FailingProposerContract,
    ProposerContract,
)
from gepa_framework.testing.contracts.scenario import ScenarioContract
from gepa_framework.testing.contracts.stopper import ClockStopperContract, StopperContract
from gepa_framework.testing.contracts.store import StoreContract
from gepa_framework.testing.contracts.transport import ConcurrentTransportContract, TransportContract

__all__ = [
    "CacheContract",
    "ClockStopperContract",
    "ConcurrentExecutorContract",
    "ConcurrentProposerContract",
    "ConcurrentTransportContract",
    "DeterministicProposerContract",
    "EffectListenerContract",
    "ExecutorContract",
    "FailingProposerContract",
    "HttpTransportContract",
    "ListenerContract",
    "PersistentListenerContract",
    "PluginInfoContract",
    "ProposerContract",
    "ScenarioContract",
    "SharedCacheContract",
    "StopperContract",
    "StoreContract",
    "TransportContract",
]
