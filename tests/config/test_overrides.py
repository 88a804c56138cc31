from __future__ import annotations

import re
from pathlib import Path

import pytest

from gepa_framework.config import VARIABLES
from gepa_framework.errors import ConfigError

DOCUMENTED = {
    "RUN_ID": ("run.run_id", "r-1"),
    "OUTPUT_DIR": ("run.output_dir", "elsewhere"),
    "CACHE_NAMESPACE": ("cache.namespace", "shared"),
    "CACHE_PATH": ("cache.path", "c.sqlite"),
    "CACHE_MODE": ("cache.mode", "readonly"),
    "PROPOSER_BACKEND": ("proposer.backend", "codex_app_server"),
    "PROPOSER_EXECUTION_MODE": ("proposer.execution_mode", "ws"),
    "PROPOSER_MODEL": ("proposer.model", "gpt-5.4-mini"),
    "PROPOSER_REASONING_EFFORT": ("proposer.reasoning_effort", "high"),
    "PROPOSER_SERVICE_TIER": ("proposer.service_tier", "fast"),
    "PROPOSER_AUTH_MODE": ("proposer.auth_mode", "chatgpt"),
    "PROPOSER_CODEX_HOME": ("proposer.codex_home", "/home/codex"),
    "ROLLOUT_SUBMISSION_MODE": ("gepa.rollout_submission_mode", "async"),
    "ROLLOUT_POLL_INTERVAL_MS": ("gepa.rollout_poll_interval_ms", "17"),
    "ROLLOUT_ASYNC_TIMEOUT_SECONDS": ("gepa.rollout_async_timeout_seconds", "1.5"),
    "PIPELINE_MODE": ("gepa.pipeline.mode", "sync_serial"),
    "STALENESS_POLICY": ("gepa.pipeline.staleness_policy", "full"),
    "MAX_IN_FLIGHT_CANDIDATES": ("gepa.pipeline.max_in_flight_candidates", "3"),
    "WORKERS_PROPOSE": ("gepa.pipeline.workers.propose", "2"),
    "WORKERS_ROLLOUT": ("gepa.pipeline.workers.rollout", "4"),
    "WORKERS_EVALUATE": ("gepa.pipeline.workers.evaluate", "5"),
    "ROLLOUT_CHUNK_SIZE": ("gepa.rollout_chunk_size", "6"),
    "ROLLOUT_FAILURE_RATE_TOLERANCE": ("gepa.rollout_failure_rate_tolerance", "0.5"),
}
OF_THE_SEARCH = re.compile(r"PIPELINE|STALENESS|MAX_IN|WORKERS|ROLLOUT_(CHUNK|FAIL)")


def value_at(loaded, path):
    node = loaded.resolved
    for part in path.split("."):
        node = node[part]
    return node


def test_the_variables_are_those_that_are_documented():
    assert {variable.name.removeprefix("GEPA_"): variable.path for variable in VARIABLES} == {
        name: path for name, (path, _) in DOCUMENTED.items()
    }


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_variable_and_its_older_name_override_the_text(parse, name):
    path, text = DOCUMENTED[name]
    older = f"SYNTH_OPTIMIZERS_{'GEPA_' if OF_THE_SEARCH.match(name) else ''}{name}"
    for variable in (f"GEPA_{name}", older):
        loaded = parse(environ={variable: text})
        assert str(value_at(loaded, path)).removeprefix("/base/") == text
        assert loaded.overrides[0].startswith(f"{variable}: {path} = ")
        assert loaded.origins == {path: variable}


def test_both_names_may_say_the_same(parse):
    environ = {"GEPA_CACHE_MODE": "off", "SYNTH_OPTIMIZERS_CACHE_MODE": "off"}
    assert parse(environ=environ).config.cache.mode == "off"


def test_both_names_must_not_differ(lines_of):
    environ = {"GEPA_CACHE_MODE": "off", "SYNTH_OPTIMIZERS_CACHE_MODE": "readonly"}
    assert lines_of(environ=environ) == [
        (
            "GEPA_CACHE_MODE: cache.mode: GEPA_CACHE_MODE and SYNTH_OPTIMIZERS_CACHE_MODE are both set "
            "and differ; "
            "set one of them, or both to the same"
        )
    ]


def test_an_empty_variable_is_not_set(parse):
    assert (
        parse(environ={"GEPA_CACHE_MODE": "", "SYNTH_OPTIMIZERS_CACHE_MODE": "off"}).config.cache.mode
        == "off"
    )


def test_other_variables_are_left_alone(parse):
    assert parse(environ={"GEPA_BANKING77_DIR": "/data", "PATH": "/bin"}).overrides == ()


def test_the_environment_of_the_process_is_not_read(monkeypatch, tmp_path, minimal, load):
    monkeypatch.setenv("GEPA_CACHE_MODE", "off")
    path = tmp_path / "gepa.toml"
    path.write_text(minimal)
    assert load(path).config.cache.mode == "readwrite"


def test_set_wins_over_the_environment_and_that_over_the_text(parse):
    text = "[gepa]\nrollout_poll_interval_ms = 1\n[cache]\nmode = 'readonly'\n[run]\nseed = 5"
    loaded = parse(
        text,
        environ={"GEPA_ROLLOUT_POLL_INTERVAL_MS": "2", "GEPA_CACHE_MODE": "off"},
        sets=["gepa.rollout_poll_interval_ms=3", "gepa.rollout_poll_interval_ms=4"],
    )
    assert (loaded.config.gepa.rollout_poll_interval_ms, loaded.config.cache.mode) == (4, "off")
    assert loaded.config.run.seed == 5
    assert loaded.overrides == (
        'GEPA_CACHE_MODE: cache.mode = "off"',
        "GEPA_ROLLOUT_POLL_INTERVAL_MS: gepa.rollout_poll_interval_ms = 2",
        "--set gepa.rollout_poll_interval_ms: gepa.rollout_poll_interval_ms = 3",
        "--set gepa.rollout_poll_interval_ms: gepa.rollout_poll_interval_ms = 4",
    )


@pytest.mark.parametrize(
    ("argument", "path", "value"),
    [
        ("gepa.minibatch_size=3", "gepa.minibatch_size", 3),
        ("gepa.minibatch_size = 3", "gepa.minibatch_size", 3),
        ("gepa.perfect_score=2.5", "gepa.perfect_score", 2.5),
        ("proposer.model=gpt-5.4-mini", "proposer.model", "gpt-5.4-mini"),
        ('proposer.model="gpt 5"', "proposer.model", "gpt 5"),
        ("proposer.model=a=b", "proposer.model", "a=b"),
        ("proposer.model=a\nb = 1", "proposer.model", "a\nb = 1"),
        ("proposer.model=1\nb = 1", "proposer.model", "1\nb = 1"),
        ("container.command=['a', 'b']", "container.command", ["a", "b"]),
        ("gepa.pipeline.workers={rollout = 2}", "gepa.pipeline.workers.rollout", 2),
        ("container.send_labels=false", "container.send_labels", False),
        ('policy."my key"=1', "policy.my key", 1),
        ("policy.a.b.c=x", "policy.a.b.c", "x"),
        ("seed_candidate.prompt=Answer.", "seed_candidate.prompt", "Answer."),
    ],
)
def test_set_takes_toml_values_and_bare_words(parse, argument, path, value):
    loaded = parse(sets=[argument])
    assert value_at(loaded, path) == value
    assert len(loaded.overrides) == 1


def test_set_reaches_into_arrays(parse):
    text = "[[stoppers]]\nuse = 'deadline'\nseconds = 1\n[[stoppers]]\nuse = 'never'\n"
    loaded = parse(text, sets=["stoppers.0.seconds=9", "dataset.train_seeds.0=7"])
    assert loaded.config.stoppers[0].options.seconds == 9.0
    assert loaded.config.dataset.train == (7, 1, 2, 3)


def test_set_can_write_a_table_that_was_not_there(parse):
    loaded = parse(sets=["stoppers=[{use = 'deadline', seconds = 3}]", "executor.use=threads"])
    assert loaded.config.stoppers[0].name == "deadline"
    assert loaded.config.executor.name == "threads"


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        (
            "gepa.minibatch_sze=3",
            (
                "--set gepa.minibatch_sze: gepa.minibatch_sze: unknown key 'minibatch_sze'; "
                "did you mean 'minibatch_size'?"
            ),
        ),
        (
            "gpea.minibatch_size=3",
            "--set gpea.minibatch_size: gpea: unknown table 'gpea'; did you mean 'gepa'?",
        ),
        ("minibatch=3", "--set minibatch: minibatch: unknown key 'minibatch'"),
        ("gepa.minibatch_size=0", "--set gepa.minibatch_size: gepa.minibatch_size: must be > 0: 0"),
        (
            "gepa.minibatch_size=x",
            ('--set gepa.minibatch_size: gepa.minibatch_size: expected an integer, got the string "x"'),
        ),
        (
            "gepa.minibatch_size.x=3",
            "--set gepa.minibatch_size.x: gepa.minibatch_size: expected an integer, got a table",
        ),
        (
            "container.url.x=3",
            (
                "--set container.url.x: container.url.x: container.url is not a table but the string "
                '"http://127.0.0.1:8080"'
            ),
        ),
        (
            "container.url.x.y=3",
            (
                "--set container.url.x.y: container.url.x.y: container.url is not a table but the "
                'string "http://127.0.0.1:8080"'
            ),
        ),
        (
            "dataset.train_seeds.9=3",
            (
                "--set dataset.train_seeds.9: dataset.train_seeds.9: dataset.train_seeds has "
                "4 entries and no entry '9'; the first is entry 0"
            ),
        ),
        (
            "dataset.train_seeds.-1=3",
            (
                "--set dataset.train_seeds.-1: dataset.train_seeds.-1: dataset.train_seeds has "
                "4 entries and no entry '-1'; the first is entry 0"
            ),
        ),
        (
            "gepa.minibatch_size",
            (
                "--set: 'gepa.minibatch_size' is not an assignment: expected '='; "
                "write --set path.to.key=value"
            ),
        ),
        ("=3", "--set: '=3' is not an assignment: expected a key; write --set path.to.key=value"),
        ("", "--set: '' is not an assignment: expected a key; write --set path.to.key=value"),
        ("a..b=3", "--set: 'a..b=3' is not an assignment: expected a key; write --set path.to.key=value"),
        (
            'proposer.model="x',
            (
                "--set proposer.model: proposer.model: is not a TOML value: a string that is not "
                "closed; quote it for the shell"
            ),
        ),
        (
            "container.command=[1",
            (
                "--set container.command: container.command: is not a TOML value: '[' is not "
                "closed; quote it for the shell"
            ),
        ),
        ("proposer.model=\udcff", "--set proposer.model: proposer.model: is not UTF-8"),
        (
            ".".join("p" * 40) + "=1",
            "--set: '" + (".".join("p" * 40) + "=1")[:80] + "' is not an assignment: "
            "nested more than 32 deep; write --set path.to.key=value",
        ),
    ],
)
def test_a_wrong_set_is_named(lines_of, argument, line):
    assert lines_of(sets=[argument]) == [line]


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            {"GEPA_WORKERS_ROLLOUT": "eight"},
            (
                "GEPA_WORKERS_ROLLOUT: gepa.pipeline.workers.rollout: expected an integer, "
                'got the string "eight"'
            ),
        ),
        (
            {"GEPA_WORKERS_ROLLOUT": "1.5"},
            (
                "GEPA_WORKERS_ROLLOUT: gepa.pipeline.workers.rollout: expected an integer, "
                'got the string "1.5"'
            ),
        ),
        (
            {"GEPA_WORKERS_ROLLOUT": "9" * 5000},
            (
                "GEPA_WORKERS_ROLLOUT: gepa.pipeline.workers.rollout: expected an "
                f'integer, got the string "{"9" * 40}…"'
            ),
        ),
        (
            {"GEPA_ROLLOUT_FAILURE_RATE_TOLERANCE": "nan"},
            ("GEPA_ROLLOUT_FAILURE_RATE_TOLERANCE: gepa.rollout_failure_rate_tolerance: must be finite: nan"),
        ),
        (
            {"SYNTH_OPTIMIZERS_CACHE_MODE": "of"},
            (
                'SYNTH_OPTIMIZERS_CACHE_MODE: cache.mode: "of" is not one of off, '
                "readwrite, readonly; did you mean 'off'?"
            ),
        ),
        (
            {"GEPA_STALENESS_POLICY": "guarded"},
            (
                'GEPA_STALENESS_POLICY: gepa.pipeline.staleness_policy: "guarded" needs mode = '
                '"async_pipelined"; write mode = "async_pipelined", or staleness_policy = "full": one after '
                "the other, no proposal is overtaken"
            ),
        ),
    ],
)
def test_a_wrong_variable_is_named(lines_of, environ, line):
    assert lines_of(environ=environ) == [line]


def test_a_variable_for_a_key_that_the_plugin_does_not_have_is_named(lines_of):
    found = lines_of(environ={"GEPA_PROPOSER_BACKEND": "scripted", "GEPA_PROPOSER_MODEL": "x"})
    (line,) = found
    assert line.startswith("GEPA_PROPOSER_MODEL: proposer.model: unknown key 'model'; known here: ")
    assert line.endswith("allow_model_substitution, backend")


def test_overrides_come_after_the_problems_of_the_file(lines_of):
    found = lines_of("[gepa]\nminibatch_size = 0\n", sets=["run.seed=x"], environ={"GEPA_CACHE_MODE": "x"})
    assert [line.split(": ")[0] for line in found] == ["gepa.toml:9:1", "GEPA_CACHE_MODE", "--set run.seed"]


def test_what_an_override_repairs_is_no_problem(lines_of):
    assert lines_of("[gepa]\nminibatch_size = 0\n", sets=["gepa.minibatch_size=1"]) == []


def test_the_overrides_of_a_run_can_be_given_again(parse):
    environ = {
        "GEPA_CACHE_MODE": "off",
        "GEPA_RUN_ID": "a-b",
        "GEPA_WORKERS_ROLLOUT": "3",
        "GEPA_ROLLOUT_FAILURE_RATE_TOLERANCE": "1e-3",
        "GEPA_PROPOSER_MODEL": 'q"\\\n',
    }
    first = parse(environ=environ, sets=["gepa.minibatch_size=2", "proposer.service_tier=fast"])
    again = parse(sets=first.sets)
    assert again.config == first.config
    assert again.resolved == first.resolved


def test_secrets_are_masked_where_overrides_are_shown(parse):
    loaded = parse(
        sets=["container.headers.Authorization=Bearer abc", "container.headers={token = 'abc', x = 'y'}"]
    )
    assert loaded.overrides == (
        "--set container.headers.Authorization: container.headers.Authorization = [secret]",
        '--set container.headers: container.headers = {"token":"[secret]","x":"y"}',
    )
    assert "abc" not in repr(loaded.resolved)
    assert "abc" not in repr(loaded).replace(repr(loaded.config), "")


def test_a_value_that_json_does_not_know_can_still_be_shown(parse):
    with pytest.raises(ConfigError, match="expected a string, got the date 2020-01-01"):
        parse(sets=["run.run_id=2020-01-01"])


def test_the_text_is_kept_as_it_was_read(parse, minimal):
    loaded = parse("# end\n", sets=["gepa.minibatch_size=3"])
    assert loaded.text == minimal + "# end\n"
    assert loaded.base_dir == Path("/base")
