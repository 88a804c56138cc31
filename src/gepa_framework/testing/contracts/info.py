"""What holds for every plugin, whatever its kind."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import attrs
import pytest
from packaging.specifiers import SpecifierSet

from gepa_framework.hookspecs import API_VERSION, PROJECT, extras, factories
from gepa_framework.plugins.info import RESERVED
from gepa_framework.plugins.lock import plain
from gepa_framework.testing.leaks import Traces
from gepa_framework.types import BuildContext, Capability, Kind, PluginInfo, digest

#: A value in the environment that no plugin may show or keep.
CANARY = "canary-8f3b1d-do-not-show"
#: What an import may not do. Opening files for reading is what an import is.
_REFUSED = ("socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.fork", "os.posix_spawn")
_IMPORT = """
import importlib, sys
sys.path[:] = {path!r}
def refuse(event, arguments):
    if event in {refused!r}:
        sys.exit(f"importing it did {{event}}{{arguments!r:.200}}")
sys.addaudithook(refuse)
importlib.import_module({module!r})
import threading
others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
sys.exit(f"importing it started threads: {{others}}" if others else 0)
"""


def forgotten(test: object, fixture: str, what: str) -> NoReturn:
    """Complain that a fixture was not overridden.

    Raises:
        NotImplementedError: Always, so that the tests end in an error and are not left out.
    """
    raise NotImplementedError(f"{type(test).__name__} must override the fixture {fixture}: {what}")


class PluginInfoContract:
    """Tests of what a plugin says of itself and of how it is built.

    Every other contract is one of these too, so that only an extra without scenarios subclasses it alone.
    Override the fixture `plugin`, and `config` where the configuration has keys without a default.

    A contract that proves a capability names it; a plugin that claims it must be tested by one of those.
    """

    #: The kind that the plugin must be of; ``None`` for any.
    kind: ClassVar[Kind | None] = None
    #: The capability that this very class is about: who subclasses it must claim it.
    capability: ClassVar[Capability | None] = None
    #: Capabilities that the tests of this class hold for anyhow, claimed or not.
    covers: ClassVar[frozenset[Capability]] = frozenset()

    @pytest.fixture
    def plugin(self) -> object:
        """Give the module, or object, that the entry point names."""
        forgotten(self, "plugin", "it returns the module that the entry point names")

    @pytest.fixture
    def info(self, plugin: object) -> PluginInfo:
        """Give its ``plugin_info``."""
        info = getattr(plugin, "plugin_info", None)
        assert isinstance(info, PluginInfo), f"plugin_info must be a PluginInfo, got {info!r}"
        return info

    @pytest.fixture
    def config(self, info: PluginInfo) -> object:
        """Give a configuration to build it with; by default the one whose every key has its default."""
        needed = [field.name for field in attrs.fields(_attrs_class(info)) if _is_needed(field)]
        if needed:
            forgotten(self, "config", f"the keys {', '.join(needed)} have no default")
        return info.config()

    @pytest.fixture
    def context(self, tmp_path: Path) -> BuildContext:
        """Give what it is built with: a run of its own, and a key in the environment."""
        return BuildContext(
            run_id="run-1",
            run_dir=tmp_path / "runs" / "run-1",
            base_dir=tmp_path,
            environ={"OPENAI_API_KEY": CANARY},
        )

    def test_it_is_of_the_kind_that_is_tested(self, info: PluginInfo) -> None:
        """`plugin_info.kind` is the kind of this contract."""
        assert self.kind is None or info.kind is self.kind

    def test_its_range_of_versions_holds_this_one(self, info: PluginInfo) -> None:
        """`plugin_info.api` can be read and holds the version of the hooks that is installed."""
        assert SpecifierSet(info.api).contains(API_VERSION, prereleases=True)

    def test_its_range_of_versions_has_an_end(self, info: PluginInfo) -> None:
        """It does not promise to work with hooks that nobody has seen yet: write ``>=1.0,<2``."""
        assert not SpecifierSet(info.api).contains("999", prereleases=True)

    def test_its_summary_is_one_sentence(self, info: PluginInfo) -> None:
        """`gepa plugins` has one line for it."""
        assert info.summary.endswith(".")
        assert info.summary.strip() == info.summary
        assert "\n" not in info.summary

    def test_its_configuration_is_a_frozen_attrs_class(self, info: PluginInfo) -> None:
        """What a run was configured with cannot be changed behind its back."""
        cls = _attrs_class(info)
        assert _refuses_change(cls), f"{cls.__name__} can be changed; use @attrs.frozen"

    def test_every_key_says_what_it_is(self, info: PluginInfo) -> None:
        """Each field has ``metadata={"help": "..."}``, which `gepa plugins show` prints."""
        silent = [field.name for field in attrs.fields(_attrs_class(info)) if not field.metadata.get("help")]
        assert not silent, f"keys without help: {', '.join(silent)}"

    def test_no_key_is_one_of_the_frameworks(self, info: PluginInfo) -> None:
        """Keys such as ``use`` never reach a plugin."""
        taken = {field.name for field in attrs.fields(_attrs_class(info))} & RESERVED.get(
            info.kind, frozenset()
        )
        assert not taken, f"keys of the framework: {', '.join(sorted(taken))}"

    def test_its_configuration_can_be_written_down(self, config: object) -> None:
        """A run records a digest of it, so that a resumption notices another one."""
        assert digest(plain(config)) == digest(plain(config))

    def test_it_implements_the_hook_of_its_kind(self, plugin: object, info: PluginInfo) -> None:
        """The hook is there under its name and marked with ``@hookimpl``."""
        implemented = {name for name, _ in _implemented(plugin)}
        of_extras = {name for name in vars(extras) if name.startswith("gepa_")}
        wanted = of_extras if info.kind is Kind.EXTRA else {info.kind.hook}
        assert implemented & wanted, f"implements none of {', '.join(sorted(wanted))}"

    def test_it_implements_known_hooks_only(self, plugin: object) -> None:
        """A misspelt hook would never be called."""
        unknown = sorted(name for name, _ in _implemented(plugin) if _specification(name) is None)
        assert not unknown, f"unknown hooks: {', '.join(unknown)}"

    def test_its_hooks_take_what_they_are_given(self, plugin: object) -> None:
        """Their arguments have the names of the specification, and none has a default of its own."""
        for name, function in _implemented(plugin):
            known = inspect.signature(_specification(name) or function).parameters
            for parameter in inspect.signature(function).parameters.values():
                assert parameter.name in known, f"{name} is never given {parameter.name!r}"
                assert parameter.default is parameter.empty, f"{name}: {parameter.name} has a default"

    def test_an_entry_point_leads_to_it(self, plugin: object, info: PluginInfo) -> None:
        """The installed distribution has an entry point of its name in the group of its kind."""
        points = [each for each in metadata.entry_points(group=info.kind.group) if each.name == info.name]
        assert points, f"no entry point {info.name!r} in {info.kind.group}; install the package first"
        assert any(each.load() is plugin for each in points), "the entry point leads to something else"

    def test_importing_it_touches_nothing(self, plugin: object) -> None:
        """`gepa plugins show` imports it: no connection, no process, no thread comes of that."""
        module = plugin.__name__ if inspect.ismodule(plugin) else type(plugin).__module__
        assert _imported(module) == ""

    def test_building_it_touches_nothing(
        self, plugin: object, info: PluginInfo, config: object, context: BuildContext
    ) -> None:
        """A factory opens nothing and starts nothing: `gepa check` builds too. The first call does that."""
        if info.kind is Kind.EXTRA:
            return
        before, files = Traces.now(), _files(context.base_dir)
        made = build(plugin, config, context)
        assert made is not None
        assert before.left_since() == {}
        assert _files(context.base_dir) == files

    def test_what_it_claims_is_tested(self, info: PluginInfo) -> None:
        """Each capability that it declares is proved by a contract that this class subclasses."""
        untested = info.capabilities - _proved(type(self))
        assert not untested, f"claims {_named(untested)}: subclass the contract of that as well"

    def test_what_is_tested_is_claimed(self, info: PluginInfo) -> None:
        """What it can do and does not declare is never made use of."""
        unclaimed = _demanded(type(self)) - info.capabilities
        assert not unclaimed, f"declare {_named(unclaimed)} in plugin_info.capabilities"


def build(plugin: object, config: object, context: BuildContext) -> Any:
    """Build what a plugin builds, as the framework does."""
    info: PluginInfo = plugin.plugin_info  # type: ignore[attr-defined] # a plugin is any object that has it
    factory = getattr(plugin, info.kind.hook)
    given = {"config": config, "context": context}
    return factory(**{name: given[name] for name in inspect.signature(factory).parameters})


@cache
def _imported(module: str) -> str:
    """Import a module in a process of its own, once, and give what was wrong with that."""
    code = _IMPORT.format(path=sys.path, refused=_REFUSED, module=module)
    done = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stderr if done.returncode else ""


def _implemented(plugin: object) -> Iterator[tuple[str, Any]]:
    for name in dir(plugin):
        value = getattr(plugin, name, None)
        if callable(value) and getattr(value, f"{PROJECT}_impl", None) is not None:
            yield name, value


def _specification(name: str) -> Any:
    return getattr(factories, name, None) or getattr(extras, name, None)


def _attrs_class(info: PluginInfo) -> type[Any]:
    assert isinstance(info.config, type), f"plugin_info.config must be a class, got {info.config!r}"
    assert attrs.has(info.config), f"{info.config.__name__} must be an attrs class"
    return info.config


def _is_needed(field: attrs.Attribute[Any]) -> bool:
    return field.init and field.default is attrs.NOTHING


def _refuses_change(cls: type[Any]) -> bool:
    empty = object.__new__(cls)
    try:
        empty.anything = 1
    except attrs.exceptions.FrozenInstanceError:
        return True
    except AttributeError:
        return False  # it has slots, and is not frozen
    return False


def _files(directory: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(directory.rglob("*"))}


def _demanded(cls: type[PluginInfoContract]) -> frozenset[Capability]:
    named = (vars(base).get("capability") for base in cls.__mro__)
    return frozenset(each for each in named if isinstance(each, Capability))


def _proved(cls: type[PluginInfoContract]) -> frozenset[Capability]:
    return _demanded(cls).union(*(vars(base).get("covers", ()) for base in cls.__mro__))


def _named(capabilities: frozenset[Capability]) -> str:
    return json.dumps(sorted(capabilities))
