"""The transport keeps the contract: with a container that goes by a script, and with one of the real SDK."""

from __future__ import annotations

import pytest

from gepa_framework.testing.contracts import ConcurrentTransportContract, HttpTransportContract
from gepa_framework.types import RowsRequest
from gepa_synth_containers import plugin as synth_containers
from gepa_synth_containers.config import SynthContainersConfig


class TestSynthContainers(HttpTransportContract):
    @pytest.fixture
    def plugin(self):
        return synth_containers

    @pytest.fixture
    def config_for(self):
        return lambda url: SynthContainersConfig(url=url, timeout_seconds=10.0)


class TestContainerOfTheSdk(ConcurrentTransportContract):
    @pytest.fixture
    def plugin(self):
        return synth_containers

    @pytest.fixture
    def config(self, serve, toy):
        return SynthContainersConfig(url=serve(toy.build().fastapi()))

    @pytest.fixture
    def wanted_rows(self):
        return RowsRequest("train", ids=("train:1", "train:2", "train:3"))


class TestContainerThatIsStarted(ConcurrentTransportContract):
    @pytest.fixture
    def plugin(self):
        return synth_containers

    @pytest.fixture
    def config(self, mini):
        return SynthContainersConfig(command=mini())

    @pytest.fixture
    def wanted_rows(self):
        return RowsRequest("train", seeds=(3, 1, 2))
