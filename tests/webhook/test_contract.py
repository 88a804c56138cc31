"""The webhook keeps the contract of listeners, whatever its receiver does."""

from __future__ import annotations

import socket

import attrs
import pytest

from gepa_framework.builtin import webhook
from gepa_framework.builtin.webhook_config import WebhookConfig
from gepa_framework.testing.contracts import ListenerContract


class _WebhookContract(ListenerContract):
    @pytest.fixture
    def plugin(self):
        return webhook

    @pytest.fixture
    def context(self, context, secret):
        return attrs.evolve(context, environ={**context.environ, "HOOK_SECRET": secret})


class TestWebhook(_WebhookContract):
    @pytest.fixture
    def config(self, receiver):
        return WebhookConfig(url=receiver.url, secret_env="HOOK_SECRET", events=("*",))


class TestWebhookWhoseReceiverSaysNothing(_WebhookContract):
    @pytest.fixture
    def config(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            yield WebhookConfig(url=url, secret_env="HOOK_SECRET", events=("*",), close_seconds=0.02)
