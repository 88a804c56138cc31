"""Every test of every contract bites: it is failed by a plugin that breaks its promise, and by no honest one.

``mutants/mutants_KIND.py`` has the plugins: each wrong in one way, and by which test it must be caught.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from gepa_framework.testing import container, playing
from gepa_framework.testing.contracts import ConcurrentTransportContract, PluginInfoContract, info

MUTANTS = Path(__file__).with_name("mutants")
KINDS = sorted(path.stem for path in MUTANTS.glob("mutants_*.py"))
OF_ALL = {name for name in dir(PluginInfoContract) if name.startswith("test_")}
#: What a module leaves to another one: the promises of every plugin, and of every transport.
TESTED_ELSEWHERE = {"mutants_info": set(), "mutants_http_transport": set(dir(ConcurrentTransportContract))}
OPTIONS = ["-q", "--import-mode=prepend", "-c", "/dev/null", "-W", "error", "--tb=line", "--no-summary"]


class Inner:
    """Runs inside of the inner run of pytest: installs each plugin, and notes what came of each test."""

    def __init__(self, module):
        self.module = module
        self.failed = defaultdict(dict)
        self.ran = defaultdict(set)

    @pytest.fixture(autouse=True)
    def installed(self, request, monkeypatch):
        if "plugin" in request.fixturenames:
            plugin = request.getfixturevalue("plugin")
            point = SimpleNamespace(name=getattr(request.cls, "entry", "honest"), load=lambda: plugin)
            monkeypatch.setattr(info, "metadata", SimpleNamespace(entry_points=lambda group: [point]))

    def pytest_collection_modifyitems(self, items):
        elsewhere = TESTED_ELSEWHERE.get(self.module, OF_ALL)
        items[:] = [item for item in items if item.originalname not in elsewhere and _matters(item)]

    def pytest_runtest_logreport(self, report):
        _, cls, name = report.nodeid.split("::")
        self.ran[cls].add(name.partition("[")[0])
        if not report.passed:
            self.failed[cls].setdefault(name.partition("[")[0], report.longreprtext)


def _matters(item):
    """An honest plugin passes all tests; of a mutant, only the one that it names is of interest."""
    return getattr(item.cls, "caught_by", item.originalname) == item.originalname


def run(module, monkeypatch, tmp_path):
    """Run the tests of a module within this process, without the plugins that are installed."""
    for name, value in {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(MUTANTS))
    # A mutant that never ends need not take long to be found out.
    for bound in (playing, container):
        monkeypatch.setattr(bound, "LONGEST_SECONDS", 4.0)
    inner = Inner(module)
    options = [*OPTIONS, "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'inner'}"]
    pytest.main([*options, str(MUTANTS / f"{module}.py")], plugins=[inner])
    return inner


@pytest.mark.timeout(240)
@pytest.mark.parametrize("module", KINDS)
def test_each_mutant_is_caught_by_the_test_that_it_names(module, monkeypatch, tmp_path):
    inner = run(module, monkeypatch, tmp_path)
    classes = {name: getattr(importlib.import_module(module), name) for name in inner.ran}
    caught_by = {name: cls.caught_by for name, cls in classes.items() if hasattr(cls, "caught_by")}
    honest = [name for name in classes if name not in caught_by]
    assert honest
    assert {name: inner.failed[name] for name in honest if inner.failed[name]} == {}
    missed = {name: test for name, test in caught_by.items() if test not in inner.failed[name]}
    assert missed == {}
    promised = set().union(*(inner.ran[name] for name in honest))
    assert promised - set(caught_by.values()) == set()
