from __future__ import annotations

import attrs
import pytest

from gepa_framework.errors import PluginBrokenError, PluginError
from gepa_framework.plugins import Plugins
from gepa_framework.types import (
    Cache,
    Executor,
    Kind,
    Listener,
    NoConfig,
    Proposer,
    Stopper,
    Store,
    Transport,
)

OWNER = "the stopper 'patience' of gf-alpha 1.0"
PROTOCOLS = {
    Kind.PROPOSER: Proposer,
    Kind.TRANSPORT: Transport,
    Kind.CACHE: Cache,
    Kind.STOPPER: Stopper,
    Kind.EXECUTOR: Executor,
    Kind.LISTENER: Listener,
    Kind.STORE: Store,
}


def factory(body: str) -> str:
    return f"@hookimpl\ndef gepa_make_stopper(config, context):\n    {body}\n"


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_each_kind_is_built_with_its_config_and_context(site, source, context, no_config, kind):
    site.offer(source(kind, "mine"), kind=kind, name="mine")
    made = getattr(Plugins.discover(), f"make_{kind}")("mine", no_config, context)
    assert isinstance(made, PROTOCOLS[kind])
    assert (made.config, made.context) == (no_config, context)


def test_only_the_named_plugin_is_called(site, source, context, no_config):
    site.offer(source(name="one"), name="one", dist="gf-alpha")
    site.offer(source(name="two", hook=factory("raise ValueError('not me')")), name="two", dist="gf-beta")
    plugins = Plugins.discover()
    plugins.load(Kind.STOPPER, "one")
    plugins.load(Kind.STOPPER, "two")  # pluggy would ask the last one first
    assert type(plugins.make_stopper("one", no_config, context)).__module__ == "gf_alpha"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return None", "gepa_make_stopper returned None; return the stopper"),
        ("return 7", "gepa_make_stopper returned no Stopper but 7; it lacks the method check"),
        ("return Made", "gepa_make_stopper returned the class Made; return an instance of it"),
        ("raise ValueError('bad luck')", "failed while it was built: ValueError: bad luck"),
        ("raise SystemExit('bye')", "failed while it was built: SystemExit: bye"),
        ("from gepa_framework.errors import GepaError; raise GepaError('no key', hint='set')", "no key; set"),
    ],
)  # fmt: skip
def test_what_does_not_build_bears_its_owners_name(site, source, context, body, said):
    site.offer(source(hook=factory(body)))
    with pytest.raises(PluginBrokenError) as caught:
        Plugins.discover().make_stopper("patience", NoConfig(), context)
    assert str(caught.value).startswith(OWNER)
    assert said in str(caught.value)


def test_a_member_that_is_no_method_is_not_enough(site, source, context, no_config):
    site.offer(source(hook=factory("import types; return types.SimpleNamespace(check=1)")))
    with pytest.raises(PluginBrokenError, match=r"it lacks the method check"):
        Plugins.discover().make_stopper("patience", no_config, context)


def test_all_lacking_methods_are_named(site, source, context, no_config):
    hook = "@hookimpl\ndef gepa_make_cache(config, context):\n    return object()\n"
    site.offer(source(Kind.CACHE, "mine", hook=hook), kind=Kind.CACHE, name="mine")
    with pytest.raises(PluginBrokenError, match=r"it lacks the methods get, put, close"):
        Plugins.discover().make_cache("mine", no_config, context)


def test_secrets_are_taken_out_of_what_a_plugin_raises(site, source, context, no_config):
    site.offer(source(hook=factory("raise ValueError('key sk-123 refused')")))
    discreet = attrs.evolve(context, redact=lambda text: text.replace("sk-123", "***"))
    with pytest.raises(PluginBrokenError, match=r"key \*\*\* refused"):
        Plugins.discover().make_stopper("patience", no_config, discreet)


def test_an_interrupt_while_building_passes(site, source, context, no_config):
    site.offer(source(hook=factory("raise KeyboardInterrupt")))
    with pytest.raises(KeyboardInterrupt):
        Plugins.discover().make_stopper("patience", no_config, context)


def test_a_config_of_another_class_is_refused(site, source, context):
    site.offer(source())
    with pytest.raises(PluginError, match=r"is configured by a NoConfig, got {}"):
        Plugins.discover().make_stopper("patience", {}, context)
