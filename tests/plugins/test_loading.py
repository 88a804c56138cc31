from __future__ import annotations

import sys

import pytest

from gepa_framework.errors import ExitCode, PluginBrokenError, PluginIncompatibleError
from gepa_framework.plugins import RESERVED, Plugins
from gepa_framework.types import Kind, NoConfig

OWNER = "the stopper 'patience' of gf-alpha 1.0"
CONFIGURED = "kind=Kind.STOPPER, name='patience', api='>=1.0,<2', config={}"


def load(site, text: str):
    site.offer(text)
    return Plugins.discover().load(Kind.STOPPER, "patience")


def refused(site, text: str, error: type[Exception] = PluginBrokenError) -> str:
    with pytest.raises(error) as caught:
        load(site, text)
    assert caught.value.exit_code is ExitCode.PLUGIN
    assert str(caught.value).startswith(OWNER)
    return str(caught.value)


def test_a_good_plugin_loads_once(site, source):
    site.offer(source(head="import gf_counter; gf_counter.imports += 1"))
    (site.path / "gf_counter.py").write_text("imports = 0")
    plugins = Plugins.discover()
    first = plugins.load(Kind.STOPPER, "patience")
    assert plugins.load(Kind.STOPPER, "gf-alpha:patience") is first
    assert plugins.config_class(Kind.STOPPER, "patience") is NoConfig
    assert sys.modules["gf_counter"].imports == 1


def test_a_plugin_may_be_an_object_in_a_module(site, source):
    text = source() + "\nclass Plugin:\n    plugin_info = plugin_info\n    @hookimpl\n"
    text += "    def gepa_make_stopper(self, config, context): ...\nobj = Plugin()\n"
    site.install("gf-alpha", {"stoppers": {"patience": "gf_alpha:obj"}}, {"gf_alpha": text})
    assert Plugins.discover().load(Kind.STOPPER, "patience").found.target == "gf_alpha:obj"


def test_an_unselected_broken_plugin_is_never_imported(site, source):
    site.offer(source())
    site.offer("raise RuntimeError('never')", name="hostile", dist="gf-beta")
    plugins = Plugins.discover()
    plugins.load(Kind.STOPPER, "patience")
    assert "gf_beta" not in sys.modules


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("raise ImportError('libfoo.so not found')", "ImportError: libfoo.so not found"),
        ("import gf_alpha.gone", "ModuleNotFoundError: No module named 'gf_alpha.gone'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("assert False, 'no'", "AssertionError: no"),
        ("def broken(:", "SyntaxError"),
        ("raise ValueError('odd')", "ValueError: odd"),
    ],
)
def test_a_selected_plugin_that_does_not_import_is_broken(site, text, cause):
    message = refused(site, text)
    assert f"{OWNER} (gf_alpha) did not import: {cause}" in message
    assert "pip install --force-reinstall gf-alpha" in message


def test_a_module_that_nobody_declared_is_not_sought_in_the_plugin(site):
    message = refused(site, "import gf_not_there")
    assert message.endswith(
        "'gf_not_there'; install what holds 'gf_not_there'; it belongs into the dependencies of gf-alpha"
    )


def test_an_interrupt_while_importing_is_not_the_plugins_fault(site):
    with pytest.raises(KeyboardInterrupt):
        load(site, "raise KeyboardInterrupt")


def test_a_missing_requirement_of_the_distribution_is_the_hint(site):
    requires = ("gf-libfoo>=2", "attrs", "gf-extra; extra == 'x'")
    site.offer("import gf_libfoo", requires=requires)
    with pytest.raises(PluginBrokenError, match=r"No module named 'gf_libfoo'; pip install 'gf-libfoo>=2'$"):
        Plugins.discover().load(Kind.STOPPER, "patience")


@pytest.mark.parametrize("target", ["gf_alpha:absent", "gf_nowhere", "not a module!"])
def test_a_target_that_leads_nowhere_is_broken(site, source, target):
    site.install("gf-alpha", {"stoppers": {"patience": target}}, {"gf_alpha": source()})
    with pytest.raises(PluginBrokenError, match=r"did not import"):
        Plugins.discover().load(Kind.STOPPER, "patience")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no plugin_info; give its module a constant plugin_info"),
        ("plugin_info = {'name': 'patience'}", "has a plugin_info that is {'name': 'patience'}"),
        (
            "from gepa_framework.types import PluginInfo as plugin_info",
            "has a plugin_info that is <class",
        ),
    ],
)
def test_metadata_must_be_there(site, text, said):
    assert said in refused(site, text)


def test_the_kind_must_be_that_of_the_group(site, source):
    message = refused(site, source(info="kind=Kind.CACHE, name='patience', api='>=1.0'"))
    assert "stands in the group 'gepa_framework.stoppers' but its plugin_info.kind is <Kind.CACHE" in message


def test_the_name_must_be_that_of_the_entry_point(site, source):
    assert "calls itself 'impatience' in its plugin_info" in refused(site, source(name="impatience"))


@pytest.mark.parametrize(
    ("api", "said"), [("'1'", "unreadable"), ("''", "empty"), ("' '", "empty"), ("1.0", "unreadable")]
)
def test_the_api_range_must_be_readable(site, source, api, said):
    info = f"kind=Kind.STOPPER, name='patience', api={api}"
    assert said in refused(site, source(info=info))


@pytest.mark.parametrize("api", [">=0.1,<1", ">=2", "==1.1"])
def test_an_api_range_that_does_not_hold_names_both(site, source, api):
    info = f"kind=Kind.STOPPER, name='patience', api={api!r}"
    message = refused(site, source(info=info), PluginIncompatibleError)
    assert f"is written for the plugin API {api}, and this is 1.0" in message


@pytest.mark.parametrize("config", ["dict", "int", "'NoConfig'", "NoConfig()", "None"])
def test_the_config_must_be_an_attrs_class(site, source, config):
    assert "has a config that is no attrs class" in refused(site, source(info=CONFIGURED.format(config)))


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in RESERVED.items() for name in sorted(names)]
)
def test_reserved_fields_are_refused(site, source, kind, name):
    head = f"@attrs.frozen\nclass C:\n    {name}: str = ''\n    fine: int = 1"
    info = f"kind=Kind.{kind.name}, name='patience', api='>=1.0,<2', config=C"
    site.offer(source(kind, head=head, info=info), kind=kind)
    with pytest.raises(
        PluginBrokenError, match=f"has a config with the reserved field {name}; give it another"
    ):
        Plugins.discover().load(kind, "patience")


def test_all_reserved_fields_are_named(site, source):
    head = "@attrs.frozen\nclass C:\n    use: str = ''\n    on_error: int = 1"
    assert "reserved fields on_error, use" in refused(site, source(head=head, info=CONFIGURED.format("C")))


def test_unknown_capabilities_of_a_newer_plugin_are_kept(site, source):
    info = "kind=Kind.STOPPER, name='patience', api='>=1.0', capabilities=frozenset({'flies'})"
    assert load(site, source(info=info)).info.capabilities == {"flies"}


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        (
            "@hookimpl\ndef gepa_make_stopper(cfg, contxt): ...",
            "gepa_make_stopper takes the unknown argument 'cfg'; its arguments are called config and context",
        ),
        ("@hookimpl\ndef gepa_make_stoper(config): ...", "gepa_make_stoper; did you mean gepa_make_stopper?"),
        (
            "@hookimpl\ndef on_zap(config): ...",
            "unknown hook on_zap; known hooks: gepa_cli_commands, gepa_make_cache, ",
        ),
        ("@hookimpl\ndef gepa_make_stopper(config, context=1): ...", "its argument 'context' a default"),
        ("@hookimpl\ndef gepa_make_stopper(*, config): ...", "'config', which no hook can fill"),
        ("@hookimpl\ndef gepa_make_stopper(**rest): ...", "'**rest', which no hook can fill"),
        ("@hookimpl\ndef gepa_make_stopper(*rest): ...", "'*rest', which no hook can fill"),
        ("@hookimpl\nasync def gepa_make_stopper(config): ...", "is asynchronous; factories build at once"),
        ("@hookimpl(wrapper=True)\ndef gepa_make_stopper(config): ...", "is not a valid plugin: "),
        ("def gepa_make_stopper(config, context): ...", "implements no gepa_make_stopper; define gepa_make_"),
        ("@hookimpl\ndef gepa_make_cache(config, context): ...", "implements no gepa_make_stopper"),
    ],
)
def test_hooks_that_cannot_be_called_are_refused(site, source, hook, said):
    assert said in refused(site, source(hook=hook))


def test_a_refused_plugin_leaves_no_trace(site, source):
    site.offer(source(hook="@hookimpl\ndef on_zap(config): ..."))
    site.offer(source(name="sound"), name="sound", dist="gf-beta")
    plugins = Plugins.discover()
    for _ in range(2):
        with pytest.raises(PluginBrokenError, match=r"gf-alpha 1.0 implements the unknown hook on_zap"):
            plugins.load(Kind.STOPPER, "patience")
    assert plugins.load(Kind.STOPPER, "sound").info.name == "sound"


def test_an_unhashable_plugin_object_is_refused(site, source):
    text = source() + "\n@attrs.define\nclass P:\n    plugin_info = plugin_info\nobj = P()\n"
    site.install("gf-alpha", {"stoppers": {"patience": "gf_alpha:obj"}}, {"gf_alpha": text})
    with pytest.raises(PluginBrokenError, match=r"is not a valid plugin: unhashable type"):
        Plugins.discover().load(Kind.STOPPER, "patience")


def test_two_distributions_of_one_name_can_both_be_used(site, source, context, no_config):
    site.offer(source(), dist="gf-alpha")
    site.offer(source(), dist="gf-beta")
    plugins = Plugins.discover()
    made = [plugins.make_stopper(f"gf-{dist}:patience", no_config, context) for dist in ("alpha", "beta")]
    assert [type(each).__module__ for each in made] == ["gf_alpha", "gf_beta"]


def test_every_kind_but_extras_has_a_table_with_keys_of_ours():
    assert set(RESERVED) == set(Kind) - {Kind.EXTRA}
