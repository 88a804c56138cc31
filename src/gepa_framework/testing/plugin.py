"""Fixtures and guards for tests of plugins.

Opt in where your tests begin, in ``conftest.py``::

    pytest_plugins = ["gepa_framework.testing.plugin"]

From then on a test fails that leaves variables, threads, sockets or child processes behind. One that may do
so says which: ``@pytest.mark.gepa_may_leave("threads")``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from gepa_framework.plugins import Plugins
from gepa_framework.testing.clock import VirtualClock
from gepa_framework.testing.container import ScriptedContainer
from gepa_framework.testing.leaks import Traces
from gepa_framework.testing.playing import play
from gepa_framework.types import BuildContext

T = TypeVar("T")
_MARK = "gepa_may_leave"
_KINDS = ("environ", "threads", "sockets", "children")


class MakeContext(Protocol):
    """Makes the context of a run of the test's own."""

    def __call__(self, **changes: Any) -> BuildContext:
        """Give it; keywords replace its fields."""
        ...


class Run(Protocol):
    """Runs a coroutine to its end."""

    def __call__(self, scene: Coroutine[Any, Any, T], *, seconds: float = ...) -> T:
        """Give what it gives; it may neither take longer nor leave tasks behind."""
        ...


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers", f"{_MARK}(*kinds): the test may leave some of {', '.join(_KINDS)} behind"
    )


@pytest.fixture(autouse=True)
def gepa_guards(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves something behind; what it undoes in its own fixtures is fine."""
    allowed = {kind for mark in request.node.iter_markers(_MARK) for kind in mark.args}
    if unknown := allowed - set(_KINDS):
        raise pytest.UsageError(f"{_MARK} takes {', '.join(_KINDS)}, not {', '.join(sorted(unknown))}")
    before = Traces.now()
    yield
    left = [sentence for kind, sentence in before.left_since().items() if kind not in allowed]
    if left:
        pytest.fail(f"the test left behind: {'; '.join(left)}", pytrace=False)


@pytest.fixture
def gepa_build_context(tmp_path: Path) -> MakeContext:
    """Give what makes the context that a plugin is built with, in the test's own directory."""

    def make(**changes: Any) -> BuildContext:
        run_dir = tmp_path / "runs" / "run-1"
        return BuildContext(**{"run_id": "run-1", "run_dir": run_dir, "base_dir": tmp_path, **changes})

    return make


@pytest.fixture
def gepa_run() -> Run:
    """Give what runs a coroutine, within a bound and leaving no task behind."""
    return play


@pytest.fixture
def gepa_plugins() -> Plugins:
    """Give the installed plugins, as a run finds them by their entry points."""
    return Plugins.discover()


@pytest.fixture
def gepa_clock() -> VirtualClock:
    """Give a clock whose time jumps."""
    return VirtualClock()


@pytest.fixture
def gepa_container() -> Iterator[Callable[..., ScriptedContainer]]:
    """Give what serves scripted containers; its arguments are those of `ScriptedContainer`."""
    served: list[ScriptedContainer] = []

    def serve(*arguments: Any, **options: Any) -> ScriptedContainer:
        served.append(ScriptedContainer(*arguments, **options))
        return served[-1]

    yield serve
    for container in served:
        container.close()
