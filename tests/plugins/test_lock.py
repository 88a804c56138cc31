from __future__ import annotations

import datetime as dt
import enum
import json
import math
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gepa_framework.errors import PluginBrokenError, PluginLockError
from gepa_framework.plugins import Plugins, compare_lock, read_lock, write_lock
from gepa_framework.plugins.found import Found
from gepa_framework.plugins.loader import LoadedPlugin
from gepa_framework.plugins.lock import lock_content
from gepa_framework.types import Kind, PluginInfo, canonical_json


class Colour(enum.Enum):
    RED = "red"


@attrs.frozen
class Inner:
    when: dt.date = dt.date(2026, 1, 2)


@attrs.frozen
class Config:
    count: int = 3
    path: Path = Path("a/b")
    colour: Colour = Colour.RED
    names: frozenset[str] = frozenset({"x", "y", "z"})
    inner: tuple[Inner, ...] = (Inner(),)
    table: dict[str, float] = attrs.field(factory=lambda: {"limit": math.inf})


def locked(name: str = "patience", version: str = "1.0", config: object = None) -> dict:
    found = Found(Kind.STOPPER, name, "gf-alpha", version, "gf_alpha")
    loaded = LoadedPlugin(found, PluginInfo(Kind.STOPPER, name, ">=1.0,<2"), object())
    return dict(lock_content([(loaded, config or Config())]))


def test_the_lock_names_what_was_used(site, source):
    site.offer(source())
    plugins = Plugins.discover()
    config = plugins.config_class(Kind.STOPPER, "patience")()
    (entry,) = plugins.lock([(Kind.STOPPER, "patience", config)])["plugins"]
    digest = entry.pop("config_sha256")
    assert len(digest) == 64
    assert entry == {
        "kind": "stopper",
        "name": "patience",
        "distribution": "gf-alpha",
        "version": "1.0",
        "api": ">=1.0,<2",
    }


def test_a_lock_survives_the_file(tmp_path):
    path = tmp_path / "plugins.lock.json"
    write_lock(path, locked())
    compare_lock(read_lock(path), locked())
    assert [each.name for each in tmp_path.iterdir()] == ["plugins.lock.json"]


@pytest.mark.parametrize(
    ("current", "said"),
    [
        (locked(version="2.0"), "the version of the stopper 'patience' was 1.0 and is now 2.0"),
        (locked(config=Config(count=4)), "the config digest of the stopper 'patience' was "),
        (locked(name="haste"), "started with the stopper 'patience', where there is now the stopper 'haste'"),
        ({"schema": 1, "plugins": []}, "started with the stopper 'patience', where there is now no plugin"),
    ],
)
def test_the_first_difference_is_named(current, said):
    with pytest.raises(PluginLockError, match=said) as caught:
        Plugins.compare_lock(locked(), current)
    assert "--accept-changed-plugins" in caught.value.hint


def test_an_added_plugin_is_a_difference():
    more = {"schema": 1, "plugins": [*locked()["plugins"], *locked("haste")["plugins"]]}
    with pytest.raises(
        PluginLockError, match=r"started with no plugin, where there is now the stopper 'haste'"
    ):
        compare_lock(locked(), more)


def test_the_config_digest_is_the_same_in_every_process():
    assert locked()["plugins"][0]["config_sha256"] == (
        "955b9fbf4d7e7cd3b050239bec792f679108d18cc2e59d97d7e484bdc0ed872d"
    )


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.integers() | st.floats() | st.booleans() | st.none() | st.text()))
def test_every_table_of_scalars_has_a_digest_of_its_own_order(table):
    backwards = dict(reversed(table.items()))
    assert canonical_json(locked(config=Config(table=table))) == canonical_json(
        locked(config=Config(table=backwards))
    )


def test_a_config_without_json_form_is_the_plugins_fault():
    with pytest.raises(
        PluginBrokenError,
        match=r"cannot be recorded: no JSON form for a value of type object",
    ):
        locked(config=Config(count=object()))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 2, "plugins": []}', '{"schema": 1, "plugins": [7]}']
)
def test_a_file_that_is_no_lock_is_refused(tmp_path, text):
    path = tmp_path / "plugins.lock.json"
    path.write_text(text)
    with pytest.raises(PluginLockError, match=r"plugins.lock.json"):
        read_lock(path)


def test_an_absent_lock_is_refused(tmp_path):
    with pytest.raises(PluginLockError, match=r"cannot be read"):
        read_lock(tmp_path / "plugins.lock.json")


def test_a_failed_write_keeps_the_old_lock(tmp_path):
    path = tmp_path / "plugins.lock.json"
    write_lock(path, locked())
    with pytest.raises(TypeError):
        write_lock(path, {"schema": object()})
    with pytest.raises(PluginLockError, match=r"cannot be written"):
        write_lock(tmp_path / "absent" / "plugins.lock.json", locked())
    assert json.loads(path.read_text()) == locked()
    assert len(list(tmp_path.iterdir())) == 1
