from __future__ import annotations

import sys

import pytest

from gepa_framework import __version__
from gepa_framework.errors import (
    ExitCode,
    PluginAmbiguousError,
    PluginError,
    PluginIncompatibleError,
    PluginNotFoundError,
)
from gepa_framework.plugins import Plugins, State
from gepa_framework.plugins.catalogue import Catalogue
from gepa_framework.types import Kind


def ours(plugins: Plugins) -> list[tuple[str, str, str]]:
    return [
        (found.dist, found.name, found.note) for found in plugins.founds() if found.dist.startswith("gf-")
    ]


def test_listing_imports_nothing(site, source):
    site.offer(source())
    assert ours(Plugins.discover()) == [("gf-alpha", "patience", "ok")]
    assert "gf_alpha" not in sys.modules


def test_every_kind_has_a_group(site, source):
    groups = {f"{kind}s": {"one": f"gf_{kind}"} for kind in Kind}
    site.install("gf-all", groups, {})
    kinds = {found.kind for found in Plugins.discover().founds() if found.dist == "gf-all"}
    assert kinds == set(Kind)


def test_a_found_plugin_knows_its_distribution(site, source):
    site.offer(source(), version="1.2.3", requires=("attrs>=24",))
    (found,) = [found for found in Plugins.discover().founds() if found.dist == "gf-alpha"]
    assert (found.version, found.target, found.requires) == ("1.2.3", "gf_alpha", ("attrs>=24",))
    assert found.owner == "the stopper 'patience' of gf-alpha 1.2.3"


def test_names_differ_by_more_than_dash_underscore_and_case(site, source):
    site.offer(source(name="My_Stopper"), name="My_Stopper")
    plugins = Plugins.discover()
    assert plugins.load(Kind.STOPPER, "my-stopper") is plugins.load(Kind.STOPPER, "MY_STOPPER")


def test_a_missing_name_gets_a_near_one(site, source):
    site.offer(source(name="quarrelsome"), name="quarrelsome")
    with pytest.raises(
        PluginNotFoundError, match=r"no stopper called 'quarelsome'; did you mean 'quarrelsome'"
    ):
        Plugins.discover().load(Kind.STOPPER, "quarelsome")


def test_a_missing_name_without_neighbours_gets_the_installed_ones(site, source):
    site.offer(source(), dist="gf-alpha")
    with pytest.raises(PluginNotFoundError, match=r"no stopper called 'zzzzzzzz'; installed: .*patience"):
        Plugins.discover().load(Kind.STOPPER, "zzzzzzzz")


def test_an_empty_kind_is_said_to_be_empty():
    with pytest.raises(PluginNotFoundError, match=r"no store called 'tape'; no store is installed"):
        Catalogue(()).pick(Kind.STORE, "tape")


@pytest.mark.parametrize(
    ("kind", "name", "dist"),
    [
        (Kind.PROPOSER, "codex_app_server", "gepa-codex"),
        (Kind.PROPOSER, "codex-app-server", "gepa-codex"),
        (Kind.TRANSPORT, "synth_containers", "gepa-synth-containers"),
        (Kind.PROPOSER, "lexical_reflector", "gepa-cookbook-banking77"),
    ],
)
def test_a_published_plugin_gets_its_pip_line(kind, name, dist):
    with pytest.raises(PluginNotFoundError, match=rf"it is in {dist}: pip install {dist}"):
        Catalogue(()).pick(kind, name)


def test_a_published_plugin_misspelt_is_recognised():
    with pytest.raises(
        PluginNotFoundError, match=r"mean 'codex_app_server'. It is in gepa-codex: pip install"
    ):
        Catalogue(()).pick(Kind.PROPOSER, "codex_app_sever")


def test_two_distributions_of_one_name_are_refused_only_if_selected(site, source):
    site.offer(source(), dist="gf-alpha", version="1.0")
    site.offer(source(), dist="gf-beta", version="2.0")
    site.offer(source(name="other"), name="other", dist="gf-gamma")
    plugins = Plugins.discover()
    assert plugins.load(Kind.STOPPER, "other").info.name == "other"
    expected = (
        "two distributions offer the stopper 'patience': gf-alpha 1.0, gf-beta 2.0; "
        'write "gf-alpha:patience" or "gf-beta:patience"'
    )
    with pytest.raises(PluginAmbiguousError) as caught:
        plugins.load(Kind.STOPPER, "patience")
    assert str(caught.value) == expected
    assert not {"gf_alpha", "gf_beta"} & set(sys.modules)


def test_both_of_two_are_marked_in_the_listing(site, source):
    site.offer(source(), dist="gf-alpha")
    site.offer(source(name="Patience"), name="Patience", dist="gf-beta")
    plugins = Plugins.discover()
    assert {note for _, _, note in ours(plugins)} == {"two offer it"}
    assert {found.state for found in plugins.founds() if found.dist.startswith("gf-")} == {State.AMBIGUOUS}


def test_the_qualified_name_settles_it_and_imports_one_only(site, source):
    site.offer(source(), dist="gf-alpha")
    site.offer("raise RuntimeError('never')", dist="gf-beta")
    loaded = Plugins.discover().load(Kind.STOPPER, "GF_Alpha:patience")
    assert loaded.found.dist == "gf-alpha"
    assert "gf_beta" not in sys.modules


def test_a_qualified_name_of_the_wrong_distribution_names_the_right_one(site, source):
    site.offer(source(), dist="gf-alpha")
    with pytest.raises(
        PluginNotFoundError, match=r"gf-x offers no stopper called 'patience'; .* gf-alpha:patience"
    ):
        Plugins.discover().load(Kind.STOPPER, "gf-x:patience")


def test_one_distribution_with_one_name_twice_is_told_so(site, source):
    points = {"stoppers": {"a-b": "gf_one", "a_b": "gf_two"}}
    site.install("gf-alpha", points, {})
    with pytest.raises(
        PluginAmbiguousError, match=r"gf-alpha 1.0 offers the stopper 'a-b' more than once: gf_one, gf_two"
    ):
        Plugins.discover().load(Kind.STOPPER, "a-b")


def test_one_distribution_twice_on_the_path_counts_once(site, source, tmp_path, monkeypatch):
    site.offer(source(), version="1.0")
    second = type(site)(tmp_path / "editable")
    second.path.mkdir()
    monkeypatch.syspath_prepend(second.path)
    second.offer(source(), dist="GF_alpha", version="2.0")
    assert ours(Plugins.discover()) == []
    loaded = Plugins.discover().load(Kind.STOPPER, "patience")
    assert (loaded.found.dist, loaded.found.version) == ("GF_alpha", "2.0")


def test_a_blocked_distribution_is_listed_and_refused(site, source):
    site.offer("raise RuntimeError('never')")
    plugins = Plugins.discover(block=["GF.alpha"])
    assert ours(plugins) == [("gf-alpha", "patience", "blocked")]
    with pytest.raises(
        PluginIncompatibleError, match=r"gf-alpha 1.0 is blocked; take 'gf-alpha' out of plugins.block"
    ):
        plugins.load(Kind.STOPPER, "patience")


def test_blocking_one_of_two_settles_it(site, source):
    site.offer(source(), dist="gf-alpha")
    site.offer("raise RuntimeError('never')", dist="gf-beta")
    plugins = Plugins.discover(block=["gf-beta"])
    assert plugins.load(Kind.STOPPER, "patience").found.dist == "gf-alpha"


@pytest.mark.parametrize("name", ["gf-alpha>=1", "", "proposer:codex", "-x"])
def test_a_block_entry_that_blocks_nothing_is_refused(name):
    with pytest.raises(PluginError, match=r"is not the name of a distribution"):
        Plugins.discover(block=[name])


def test_another_framework_is_wanted(site, source):
    site.offer("raise RuntimeError('never')", requires=("gepa_framework>=99 ; python_version>'3'",))
    plugins = Plugins.discover()
    note = f"wants gepa-framework >=99, not {__version__}"
    assert ours(plugins) == [("gf-alpha", "patience", note)]
    with pytest.raises(PluginIncompatibleError, match=f"{note}; pip install --upgrade gf-alpha") as caught:
        plugins.load(Kind.STOPPER, "patience")
    assert caught.value.exit_code is ExitCode.PLUGIN
    assert "gf_alpha" not in sys.modules


@pytest.mark.parametrize(
    "line",
    [
        f"gepa-framework=={__version__}",
        "gepa-framework>=99; extra == 'x'",
        "gepa-framework>=99; python_version<'3'",
    ],
)
def test_a_framework_range_that_holds_or_does_not_apply_is_fine(site, source, line):
    site.offer(source(), requires=(line,))
    assert Plugins.discover().load(Kind.STOPPER, "patience").found.state is State.OK


def test_an_unreadable_framework_range_is_no_excuse(site, source):
    site.offer(source(), requires=("gepa-framework >=nonsense",))
    with pytest.raises(PluginIncompatibleError, match=r"wants gepa-framework gepa-framework >=nonsense"):
        Plugins.discover().load(Kind.STOPPER, "patience")


def test_a_misspelt_group_is_reported_where_the_plugin_is_missed(site):
    site.install("gf-alpha", {"stopper": {"patience": "gf_alpha"}}, {})
    plugins = Plugins.discover()
    problem = (
        "gf-alpha declares the unknown entry-point group 'gepa_framework.stopper'; "
        "did you mean 'gepa_framework.stoppers'?"
    )
    assert problem in plugins.problems()
    with pytest.raises(PluginNotFoundError, match=r"gf-alpha declares the unknown entry-point group"):
        plugins.load(Kind.STOPPER, "patience")


def test_metadata_without_a_name_harms_itself_only(site, source):
    site.offer(source())
    site.install("gf-beta", {"stoppers": {"lost": "gf_beta"}}, {})
    (site.path / "gf_beta-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\n")
    plugins = Plugins.discover()
    assert plugins.load(Kind.STOPPER, "patience").info.name == "patience"
    assert any("cannot be read: its metadata has no Name" in problem for problem in plugins.problems())


def test_undecodable_entry_points_harm_themselves_only(site, source):
    site.offer(source())
    site.install("gf-beta", {"stoppers": {"lost": "gf_beta"}}, {})
    (site.path / "gf_beta-1.0.dist-info" / "entry_points.txt").write_bytes(
        b"[gepa_framework.stoppers]\n\xff = \xfe"
    )
    plugins = Plugins.discover()
    assert plugins.load(Kind.STOPPER, "patience").info.name == "patience"
    assert any("gf-beta cannot be read" in problem for problem in plugins.problems())


def test_required_distributions_that_are_there_are_fine(site, source):
    site.offer(source(), version="1.5")
    require = ["gf-alpha>=1,<2", "gepa-framework", "gf-absent; python_version<'3'"]
    assert Plugins.discover(require=require).load(Kind.STOPPER, "patience").found.version == "1.5"


def test_all_missing_requirements_come_in_one_error_with_the_pip_line(site, source):
    site.offer(source(), version="1.0")
    require = ["gf-alpha>=2", "gf-absent", "attrs", "gf-also-absent<3"]
    with pytest.raises(PluginNotFoundError) as caught:
        Plugins.discover(require=require)
    assert str(caught.value) == (
        "plugins.require: not installed: gf-alpha>=2 (1.0 is installed), gf-absent, gf-also-absent<3; "
        "pip install 'gf-alpha>=2' gf-absent 'gf-also-absent<3'"
    )


def test_a_requirement_that_cannot_be_read_is_refused():
    with pytest.raises(PluginError, match=r"plugins.require: 'gf alpha' is not a requirement"):
        Plugins.discover(require=["gf alpha"])


def test_required_and_blocked_at_once_is_refused():
    with pytest.raises(PluginIncompatibleError, match=r"both name gf-alpha"):
        Plugins.discover(require=["gf-alpha"], block=["gf_alpha"])
