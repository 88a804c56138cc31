"""What is bad before a run begins: the right error, its owner, the cure, and nothing spent."""

from __future__ import annotations

import json
import sys

import pytest
from tests.plugins.hostile.hostile_cases import REFUSED

SLUGS = [case[0] for case in REFUSED]


@pytest.mark.parametrize(("slug", "code", "said", "cure"), REFUSED, ids=SLUGS)
def test_a_bad_plugin_that_is_selected_stops_the_run_before_it_begins(yard, slug, code, said, cure):
    yard.offer_all()
    yard.config(f'[[stoppers]]\nuse = "{slug}"')
    for command in ("check", "run"):
        exit_code, error = yard.failure(command, "--config", "gepa.toml")
        assert (exit_code, error["error_code"]) == (4, code)
        assert f"the stopper '{slug}' of gf-{slug.replace('_', '-')} 1.0" in error["message"]
        assert said in error["message"]
        assert cure in error["hint"]
    assert not (yard.work / "runs").exists()


def test_what_only_looks_odd_is_let_in(yard):
    yard.offer("new_capability")
    yard.config('[[stoppers]]\nuse = "new_capability"')
    assert yard.gepa("run", "--config", "gepa.toml").exit_code == 0


def test_bad_plugins_that_are_not_selected_harm_nobody(yard):
    slugs = yard.offer_all()
    before = set(sys.modules)
    for args in (["--help"], ["plugins", "list"], ["run", "--config", "gepa.toml", "--display", "none"]):
        done = yard.gepa(*args)
        assert done.exit_code == 0, done.stderr
    modules = {f"gf_{slug}" for slug in slugs}
    assert not modules & (set(sys.modules) - before)


def test_of_two_that_offer_one_name_neither_is_imported(yard):
    for dist in ("gf-one", "gf-two"):
        yard.offer("import_error", dist=dist, name="twin")
    yard.config('[[stoppers]]\nuse = "twin"')
    exit_code, error = yard.failure("run", "--config", "gepa.toml")
    assert (exit_code, error["error_code"]) == (4, "gepa_plugin_ambiguous")
    assert "two distributions offer the stopper 'twin': gf-one 1.0, gf-two 1.0" in error["message"]
    assert error["hint"] == 'write "gf-one:twin" or "gf-two:twin"'


def test_a_name_that_is_not_ascii_is_a_name(yard):
    yard.offer("import_error", dist="gf-other", name="schwelle")
    text = (yard.work / "gepa.toml").read_text() + '[[stoppers]]\nuse = "größe"\n'
    (yard.work / "gepa.toml").write_text(text, encoding="utf-8")
    exit_code, error = yard.failure("check", "--config", "gepa.toml")
    assert (exit_code, error["error_code"]) == (4, "gepa_plugin_not_found")
    assert "no stopper called 'größe'" in error["message"]
    yard.offer("non_ascii", name="größe")
    assert yard.gepa("run", "--config", "gepa.toml").exit_code == 0
    assert "größe" in yard.gepa("plugins", "list").stdout
    told = json.loads(yard.gepa("plugins", "check", "größe", "--json").stdout)
    assert told["ok"] is True
