from __future__ import annotations

import importlib
import threading
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from mutating import mutants

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.contracts import (
    ConcurrentProposerContract,
    DeterministicProposerContract,
    PluginInfoContract,
)
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import Capability, Kind, PluginInfo


def key(default: Any = 3, help_: str = "How often.") -> Any:
    return attrs.field(default=default, metadata={"help": help_})


@attrs.frozen
class Config:
    attempts: int = key()


@hookimpl
def make(config, context):
    return FakeProposer()


HONEST = PluginInfo(Kind.PROPOSER, "honest", ">=1.0,<2", Config, summary="Is here to be tested.")


def plugin_with(**changes: Any) -> SimpleNamespace:
    return SimpleNamespace(plugin_info=attrs.evolve(HONEST, **changes), gepa_make_proposer=make)


def called(name: str, **changes: Any) -> Any:
    """Give what builds a plugin with another `plugin_info`, under the name of the mutant."""
    return named(name, lambda context: plugin_with(**changes))


def named(name: str, build: Any) -> Any:
    build.__name__ = name
    return build


def implementing(name: str, function: Any, hook: str = "gepa_make_proposer") -> Any:
    return named(name, lambda context: SimpleNamespace(plugin_info=HONEST, **{hook: hookimpl(function)}))


class TestHonest(PluginInfoContract):
    kind = Kind.PROPOSER
    made = staticmethod(lambda context: plugin_with())

    @pytest.fixture
    def plugin(self, context):
        return type(self).made(context)


@attrs.define
class Changeable:
    attempts: int = key()


@attrs.define(slots=False)
class ChangeableWithoutSlots:
    attempts: int = key()


@attrs.frozen
class Silent:
    attempts: int = 3


@attrs.frozen
class Grabbing:
    backend: str = key("mine")


@attrs.frozen
class Unwritable:
    at: object = key(object())


def opens_at_once(context):
    def made(config, context):
        (context.base_dir / "made").touch()
        return FakeProposer()

    return SimpleNamespace(plugin_info=HONEST, gepa_make_proposer=hookimpl(made))


def begins_a_thread(context):
    def made(config, context):
        threading.Thread(target=threading.Event().wait, args=(3,), daemon=True).start()
        return FakeProposer()

    return SimpleNamespace(plugin_info=HONEST, gepa_make_proposer=hookimpl(made))


class TestConcurrent(ConcurrentProposerContract):
    """Its plugin claims more than this class tests."""

    caught_by = "test_what_it_claims_is_tested"

    @pytest.fixture
    def plugin(self):
        return plugin_with(capabilities=frozenset({Capability.CONCURRENT, Capability.DETERMINISTIC}))


class TestDeterministic(DeterministicProposerContract):
    """Its plugin claims less than this class tests."""

    caught_by = "test_what_is_tested_is_claimed"

    @pytest.fixture
    def plugin(self):
        return plugin_with()


class TestNotInstalled(TestHonest):
    entry = "another"
    caught_by = "test_an_entry_point_leads_to_it"


class _Module(TestHonest):
    name = "kept_module"

    @pytest.fixture
    def plugin(self):
        return importlib.import_module(self.name)


class TestModule(_Module):
    pass


class TestConnects(_Module):
    name = "bad_module_connects"
    caught_by = "test_importing_it_touches_nothing"


class TestStartsAThread(_Module):
    name = "bad_module_threads"
    caught_by = "test_importing_it_touches_nothing"


globals().update(
    mutants(
        TestHonest,
        {
            "test_it_is_of_the_kind_that_is_tested": [called("IsAStopper", kind=Kind.STOPPER)],
            "test_its_range_of_versions_holds_this_one": [
                called("IsOld", api=">=0.1,<1"),
                called("IsUnreadable", api="one"),
            ],
            "test_its_range_of_versions_has_an_end": [
                called("IsForever", api=">=1.0"),
                called("IsForAnything", api=""),
            ],
            "test_its_summary_is_one_sentence": [called("SaysNothing", summary="")],
            "test_its_configuration_is_a_frozen_attrs_class": [
                called("MayBeChanged", config=Changeable),
                called("MayBeChangedToo", config=ChangeableWithoutSlots),
                called("IsNoAttrsClass", config=dict),
            ],
            "test_every_key_says_what_it_is": [called("IsSilent", config=Silent)],
            "test_no_key_is_one_of_the_frameworks": [called("Grabs", config=Grabbing)],
            "test_its_configuration_can_be_written_down": [called("CannotBeWritten", config=Unwritable)],
            "test_it_implements_the_hook_of_its_kind": [
                implementing("ImplementsAnother", lambda context: None, "gepa_make_cache")
            ],
            "test_it_implements_known_hooks_only": [
                implementing("Misspells", lambda context: None, "gepa_make_propsoer")
            ],
            "test_its_hooks_take_what_they_are_given": [
                implementing("WantsMore", lambda config, context, more: FakeProposer()),
                implementing("HasADefault", lambda config, context=None: FakeProposer()),
            ],
            "test_building_it_touches_nothing": [
                named("OpensAtOnce", opens_at_once),
                named("BeginsAThread", begins_a_thread),
                implementing("GivesNothing", lambda config, context: None),
            ],
        },
    )
)
