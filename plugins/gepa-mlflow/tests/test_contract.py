from __future__ import annotations

import pytest

from gepa_framework.testing.contracts import ListenerContract
from gepa_mlflow import plugin as mlflow_plugin
from gepa_mlflow.config import MlflowConfig


class TestMlflowListener(ListenerContract):
    @pytest.fixture
    def plugin(self):
        return mlflow_plugin

    @pytest.fixture
    def config(self, store):
        return MlflowConfig(tracking_uri=store.uri, flush_seconds=0.05, close_seconds=50.0)
