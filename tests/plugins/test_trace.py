from __future__ import annotations

import re

import pytest

from gepa_framework.errors import PluginBrokenError
from gepa_framework.plugins import Plugins
from gepa_framework.types import Kind

HEAD = """
@attrs.frozen
class C:
    api_key: str = "sk-in-the-file"
    url: str = "http://x"
    headers: dict = attrs.Factory(lambda: {"Authorization": "abc", "Accept": "text"})
"""
INFO = "kind=Kind.STOPPER, name='patience', api='>=1.0,<2', config=C"


@pytest.fixture
def build(site, source, context):
    """Give a function that builds a stopper with a key in its configuration."""

    def build(**changes: str) -> None:
        site.offer(source(head=HEAD, info=INFO, **changes))
        plugins = Plugins.discover()
        config = plugins.config_class(Kind.STOPPER, "patience")()
        plugins.make_stopper("patience", config, context)

    return build


def test_each_call_is_told_with_owner_time_and_result(build, monkeypatch, capsys):
    monkeypatch.setenv("GEPA_TRACE_PLUGINS", "1")
    build()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trace: the stopper 'patience' of gf-alpha 1.0: gepa_make_stopper(config=C(")
    assert "context=BuildContext(run_id='r1', run_dir=" in line
    assert re.search(r"\) gave Made in \d+\.\d ms$", line)


def test_secrets_are_not_told(build, monkeypatch, capsys):
    monkeypatch.setenv("GEPA_TRACE_PLUGINS", "1")
    monkeypatch.setenv("SOME_TOKEN", "http://x")
    build()
    told = capsys.readouterr().err
    assert "C(api_key=[redacted], url='[redacted]', " in told
    assert "headers={'Authorization': [redacted], 'Accept': 'text'}" in told


def test_what_a_call_raises_is_told(build, monkeypatch, capsys):
    monkeypatch.setenv("GEPA_TRACE_PLUGINS", "1")
    with pytest.raises(PluginBrokenError):
        build(hook="@hookimpl\ndef gepa_make_stopper(config):\n    raise ValueError('no')\n")
    assert " raised ValueError: no in " in capsys.readouterr().err


@pytest.mark.parametrize("value", ["", "0"])
def test_nothing_is_told_unless_it_is_wanted(build, monkeypatch, capsys, value):
    monkeypatch.setenv("GEPA_TRACE_PLUGINS", value)
    build()
    assert capsys.readouterr().err == ""


def test_the_commands_of_an_extra_are_told_too(site, monkeypatch, capsys):
    monkeypatch.setenv("GEPA_TRACE_PLUGINS", "1")
    text = (
        "from gepa_framework.hookspecs import hookimpl\n"
        "from gepa_framework.types import CommandSpec, Kind, PluginInfo\n"
        "plugin_info = PluginInfo(Kind.EXTRA, 'patience', '>=1.0,<2')\n"
        "@hookimpl\ndef gepa_cli_commands():\n    return [CommandSpec('patience', 'Wait.', 'time:sleep')]\n"
    )
    site.offer(text, kind=Kind.EXTRA)
    Plugins.discover().commands("patience")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trace: the extra 'patience' of gf-alpha 1.0: gepa_cli_commands() gave list in ")
