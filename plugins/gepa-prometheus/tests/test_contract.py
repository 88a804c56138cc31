from __future__ import annotations

import pytest

from gepa_framework.testing.contracts import ListenerContract
from gepa_prometheus import plugin as prometheus_plugin
from gepa_prometheus.config import PrometheusConfig


class TestPrometheusListener(ListenerContract):
    @pytest.fixture
    def plugin(self):
        return prometheus_plugin


class TestPrometheusListenerWithAllItsFiles(ListenerContract):
    @pytest.fixture
    def plugin(self):
        return prometheus_plugin

    @pytest.fixture
    def config(self):
        return PrometheusConfig(targets_dir="targets", textfile_dir="text", labels={"team": "search"})
