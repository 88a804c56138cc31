from __future__ import annotations

import pytest

from gepa_framework.testing.contracts import EffectListenerContract, ListenerContract
from gepa_otel import plugin as otel_plugin
from gepa_otel.config import OtelConfig


class TestOtel(EffectListenerContract):
    @pytest.fixture
    def plugin(self):
        return otel_plugin

    @pytest.fixture
    def config(self, fake):
        return OtelConfig(endpoint=fake.url, capture_texts=True)


class TestOtelWithoutACollector(EffectListenerContract):
    @pytest.fixture
    def plugin(self):
        return otel_plugin

    @pytest.fixture
    def config(self):
        return OtelConfig(endpoint="http://127.0.0.1:1", close_seconds=0.05)


class TestOtelOfARunThatIsNotTraced(ListenerContract):
    @pytest.fixture
    def plugin(self):
        return otel_plugin

    @pytest.fixture
    def config(self):
        return OtelConfig(sampling_ratio=0.0)
