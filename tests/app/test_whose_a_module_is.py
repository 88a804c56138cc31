from __future__ import annotations

import pytest

from gepa_framework.app.session import _is_of


@pytest.mark.parametrize(
    ("target", "module", "theirs"),
    [
        ("their_package.plugin", "their_package.deep.inside", True),
        ("their_package:plugin", "their_package", True),
        ("their_package.plugin", "their_package_too", False),
        ("gepa_framework.builtin.webhook", "gepa_framework.builtin.webhook", True),
        ("gepa_framework.builtin.webhook", "gepa_framework.builtin.webhook_courier", True),
        # The framework calls every plugin: that it is on the way says nothing of who keeps the thread.
        ("gepa_framework.builtin.sqlite", "gepa_framework.runtime.listening", False),
        ("gepa_framework.builtin.sqlite", "gepa_framework.builtin.jsonl", False),
    ],
)
def test_a_module_belongs_to_the_plugin_that_it_came_with(target, module, theirs):
    assert _is_of(target, module) is theirs
