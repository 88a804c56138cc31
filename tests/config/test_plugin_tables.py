from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from gepa_framework.config import ListenerChoice, PluginChoice
from gepa_framework.errors import ConfigError, PluginBrokenError, PluginError, PluginNotFoundError
from gepa_framework.types import Kind, NoConfig

if TYPE_CHECKING:
    from decimal import Decimal


def test_a_plugin_is_chosen_where_its_table_is(parse):
    loaded = parse(
        "model = 'm'\n[cache]\nbackend = 'memory'\nmode = 'off'\n"
        "[[stoppers]]\nuse = 'deadline'\nseconds = 5\n"
        "[[stoppers]]\nuse = 'never'\n[[listeners]]\nuse = 'jsonl'\non_error = 'stop'\n"
        "[[listeners]]\nuse = 'jsonl'\n"
        "[executor]\nuse = 'threads'\n"
        "[store]\nuse = 'rich'\nratio = 0.5\n"
    )
    config = loaded.config
    assert (config.container.kind, config.container.name, config.container.path) == (
        Kind.TRANSPORT,
        "synth_containers",
        "container",
    )
    assert (config.proposer.name, config.proposer.options.model) == ("codex_app_server", "m")
    assert (config.cache.backend.name, config.cache.backend.options) == ("memory", NoConfig())
    assert [(choice.path, choice.name) for choice in config.stoppers] == [
        ("stoppers.0", "deadline"),
        ("stoppers.1", "never"),
    ]
    assert config.stoppers[0].options.seconds == 5.0
    assert [choice.on_error for choice in config.listeners] == ["stop", "warn"]
    assert config.listeners[1] == ListenerChoice(Kind.LISTENER, "jsonl", NoConfig(), "listeners.1")
    assert (config.executor.name, config.executor.path) == ("threads", "executor")
    assert (config.store.kind, config.store.name, config.store.path) == (Kind.STORE, "rich", "store")
    assert config.store.options.ratio == 0.5


def test_the_store_is_sqlite_where_nothing_is_said(parse):
    assert parse().config.store == PluginChoice(Kind.STORE, "sqlite", NoConfig(), "store")
    assert parse("[store]").config.store == parse().config.store


def test_a_plugin_may_be_named_with_its_distribution(parse):
    assert parse(sets=["proposer.backend=dist:scripted"]).config.proposer.name == "dist:scripted"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("modl = 'm'", ":8:1: proposer.modl: unknown key 'modl'; did you mean 'model'?"),
        ("timeout_seconds = 0", ":8:1: proposer.timeout_seconds: must be > 0: 0.0"),
        ("[[stoppers]]\nseconds = 5", ':8:3: stoppers.0.use: is required; name a plugin: use = "…"'),
        ("[[stoppers]]\nuser = 'deadline'", ":8:3: stoppers.0.use: is required; you wrote 'user'"),
        ("[[stoppers]]\nuse = ''", ":9:1: stoppers.0.use: must not be empty; name a plugin"),
        ("[[stoppers]]\nuse = 3", ":9:1: stoppers.0.use: expected a string, got the integer 3"),
        ("[[stoppers]]\nuse = 'deadline'", ":8:3: stoppers.0.seconds: is required"),
        (
            "[stoppers]\nuse = 'deadline'",
            ":8:2: stoppers: expected an array of tables, got a table; write [[stoppers]]",
        ),
        (
            "[store]\nuse = 'rich'\nratoi = 1",
            ":10:1: store.ratoi: unknown key 'ratoi'; did you mean 'ratio'?",
        ),
        ("[store]\nuse = 'rich'\ncount = 'x'", ':10:1: store.count: expected an integer, got the string "x"'),
        ("store = 'sqlite'", ":8:1: proposer.store: unknown key 'store'"),
        ("[[store]]\nuse = 'sqlite'", ":8:3: store: expected a table, got an array"),
        ("[executor]", ':8:2: executor.use: is required; name a plugin: use = "…"'),
        ("[[executor]]\nuse = 'threads'", ":8:3: executor: expected a table, got an array"),
        (
            "[[listeners]]\nuse = 'jsonl'\non_error = 'ignore'",
            ':10:1: listeners.0.on_error: "ignore" is not one of warn, disable, stop',
        ),
        (
            "[[listeners]]\nuse = 'jsonl'\nuses = 1",
            ":10:1: listeners.0.uses: unknown key 'uses'; did you mean 'use'?",
        ),
        (
            "[[listeners]]\nuse = 'jsonl'\non_eror = 1",
            (":10:1: listeners.0.on_eror: unknown key 'on_eror'; did you mean 'on_error'?"),
        ),
    ],
)
def test_what_a_plugin_does_not_take_is_refused(lines_of, text, line):
    assert lines_of(text) == ["gepa.toml" + line]


def test_an_entry_that_is_no_table_is_refused(lines_of, minimal):
    found = lines_of("stoppers = [1]\nlisteners = [[]]\n" + minimal, whole=True)
    assert found == [
        "gepa.toml:1:13: stoppers.0: expected a table, got the integer 1",
        "gepa.toml:2:14: listeners.0: expected a table, got an array",
    ]


def test_an_unknown_plugin_alone_keeps_its_error_class_and_gains_its_place(parse):
    with pytest.raises(PluginNotFoundError) as caught:
        parse("[executor]\nuse = 'nope'")
    assert str(caught.value) == "gepa.toml:9:1: executor.use: no executor called 'nope'; pip install it"
    assert (caught.value.hint, caught.value.exit_code) == ("pip install it", 4)


@pytest.mark.parametrize("name", ["local_process_json", "deepseek_chat", "codex"])
def test_no_proposer_is_built_in(parse, name):
    with pytest.raises(PluginNotFoundError, match=f"no proposer called '{name}'"):
        parse(sets=[f"proposer.backend={name}"])


def test_of_several_plugin_errors_the_first_of_the_file_is_raised(parse):
    with pytest.raises(PluginBrokenError) as caught:
        parse("[[stoppers]]\nuse = 'broken'\n[[stoppers]]\nuse = 'nope'")
    assert caught.value.message == (
        "gepa.toml:9:1: stoppers.0.use: the plugin 'broken' did not import: ImportError: libfoo.so"
    )


def test_a_plugin_error_from_an_override_names_the_override(parse):
    with pytest.raises(
        PluginNotFoundError, match=r"^GEPA_PROPOSER_BACKEND: proposer.backend: no proposer called"
    ):
        parse(environ={"GEPA_PROPOSER_BACKEND": "nope"})


def test_a_plugin_error_stands_among_the_other_problems(parse):
    with pytest.raises(ConfigError) as caught:
        parse("[executor]\nuse = 'nope'\n[gepa]\nminibatch_size = 0")
    assert [str(problem) for problem in caught.value.problems] == [
        "gepa.toml:9:1: executor.use: no executor called 'nope'; pip install it",
        "gepa.toml:11:1: gepa.minibatch_size: must be > 0: 0",
    ]


@attrs.frozen
class Unresolvable:
    price: Decimal


class Plain:
    pass


def only_executor(cls, resolve):
    return lambda kind, name: cls if kind is Kind.EXECUTOR else resolve(kind, name)


def test_a_class_whose_annotation_cannot_be_evaluated_is_a_broken_plugin(parse, resolve):
    with pytest.raises(PluginBrokenError) as caught:
        parse("[executor]\nuse = 'x'", resolve=only_executor(Unresolvable, resolve))
    assert str(caught.value) == (
        "gepa.toml:9:1: executor.use: the configuration class Unresolvable of the executor 'x' "
        "has an annotation "
        "that cannot be evaluated: name 'Decimal' is not defined; import what it names outside TYPE_CHECKING"
    )


def test_a_class_that_is_not_attrs_is_a_broken_plugin(parse, resolve):
    with pytest.raises(PluginBrokenError, match="Plain of the executor 'x' is not an attrs class"):
        parse("[executor]\nuse = 'x'", resolve=only_executor(Plain, resolve))


def test_only_selected_plugins_are_asked_for(parse, resolve):
    asked = []

    def watching(kind, name):
        asked.append((kind, name))
        return resolve(kind, name)

    parse(resolve=watching)
    assert sorted(asked) == [
        (Kind.CACHE, "sqlite"),
        (Kind.PROPOSER, "codex_app_server"),
        (Kind.STORE, "sqlite"),
        (Kind.TRANSPORT, "synth_containers"),
    ]


def test_plugins_are_prepared_once_before_the_first_is_asked_for(parse, resolve):
    asked = []

    def watching(kind, name):
        asked.append(kind)
        return resolve(kind, name)

    text = "[plugins]\nrequire = ['gepa-codex>=0.2']\nblock = ['Old_Thing']"
    parse(text, resolve=watching, prepare=lambda section: asked.append((section.require, section.block)))
    assert asked[0] == (("gepa-codex>=0.2",), ("Old_Thing",))
    assert len(asked) == 5


def test_when_preparing_fails_no_plugin_is_asked_for(parse):
    def prepare(_):
        raise PluginNotFoundError("gepa-codex>=9 is not installed", hint="pip install 'gepa-codex>=9'")

    with pytest.raises(PluginError) as caught:
        parse("[plugins]\nrequire = ['gepa-codex>=9']", prepare=prepare, resolve=lambda *_: 1 / 0)
    assert str(caught.value) == (
        "gepa.toml:8:2: plugins: gepa-codex>=9 is not installed; pip install 'gepa-codex>=9'"
    )


def test_the_frameworks_own_key_of_the_proposer_is_not_the_plugins(parse):
    default = parse("model = 'm'\n").config.proposer
    allowed = parse("model = 'm'\nallow_model_substitution = true\n").config.proposer
    assert (default.allow_model_substitution, allowed.allow_model_substitution) == (False, True)
    assert allowed.options == default.options


def test_a_wrong_value_of_the_frameworks_own_key_is_reported_beside_the_plugins(parse):
    with pytest.raises(ConfigError) as caught:
        parse("model = 3\nallow_model_substitution = 'yes'\n")
    assert [problem.path for problem in caught.value.problems] == [
        "proposer.model",
        "proposer.allow_model_substitution",
    ]
