from __future__ import annotations

import os
import select
import stat
import sys
import threading

import pytest

from gepa_framework.app import GepaRun
from gepa_framework.app.scenarios import scenario_text, smoke
from gepa_framework.app.schema import installed_schema
from gepa_framework.errors import PreflightError, ScenarioNotFoundError

SCORE = "[scenario(score=ScoreShape('share'), scorer=('{{python}}', '-c', {code!r}), **{more})]"


def failure(run: GepaRun) -> PreflightError:
    with pytest.raises(PreflightError) as caught:
        run.preflight()
    return caught.value


def program(bench, text: str, name: str = "tool") -> str:
    path = bench.path / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"{path.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def with_path(bench, monkeypatch):
    """Put a program on PATH."""
    return lambda text, name="tool": monkeypatch.setenv("PATH", program(bench, text, name))


def test_a_preflight_asks_for_one_row_and_one_rollout_and_lets_go(bench) -> None:
    bench.offer()
    heard = []
    checks = bench.run().preflight(on_check=heard.append)
    assert all(check.ok for check in checks)
    assert list(checks) == heard
    assert [check.name for check in checks] == [
        *("proposer", "container", "program", "artefact", "row", "rollout of the seed")
    ]
    run_id = "preflight-skills"
    assert bench.asked() == [f"{what} {run_id}" for what in ("describe", "rollout train:0", "close")]
    assert sorted(path.name for path in bench.path.iterdir()) == ["asked.log"]


def test_the_row_of_the_scenario_is_taken(bench) -> None:
    bench.offer(scenarios="[scenario(smoke=Smoke(row=5))]")
    bench.run().preflight()
    assert "rollout train:5 preflight-skills" in bench.asked()


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("container.mood=absent", "container: nothing listens on port 1"),
        ("container.mood=failing", "rollout of the seed: failed (container, boom): it burst"),
        ("container.mood=odd", "rollout of the seed: raised ZeroDivisionError: nobody expected this"),
        ("container.mood=slow", "container: did not end in time"),
        ("proposer.mood=keyless", "proposer: the key is not set"),
    ],
)
def test_what_goes_wrong_is_named_and_the_container_let_go(bench, mood, said) -> None:
    bench.offer(scenarios="[scenario(smoke=Smoke(seconds=0.3))]" if "slow" in mood else "[scenario()]")
    error = failure(bench.run("skills", mood))
    assert error.message.startswith("the preflight of scenario 'skills' failed, and nothing was spent: ")
    assert said in error.message
    assert bench.asked()[-1] == "close preflight-skills"
    assert ("line of the log" in error.message) == mood.startswith("container")


def test_a_container_that_does_not_listen_keeps_nobody(bench, monkeypatch) -> None:
    monkeypatch.setattr(smoke, "_GRACE_SECONDS", 0.2)
    bench.offer(scenarios="[scenario(smoke=Smoke(seconds=0.2))]")
    error = failure(bench.run("skills", "container.mood=deaf"))
    assert "container: does not end, not even when it is told to" in error.message
    assert "deaf preflight-skills" in bench.asked()
    (bench.path / "free").touch()
    for thread in threading.enumerate():
        if thread.name == "gepa-preflight":
            thread.join(30)
            assert not thread.is_alive()


def test_secrets_are_not_shown(bench, monkeypatch) -> None:
    monkeypatch.setenv("A_KEY", "very-secret-text")
    monkeypatch.setenv("SOME_API_KEY", "very-secret-text")
    bench.offer()
    error = failure(bench.run("skills", "container.mood=failing"))
    assert "it burst with [redacted]" in error.message


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("ScoreShape('speed')", "gave no 'speed'; it gave: reward, share"),
        ("ScoreShape('share', low=0.6)", "share is 0.5, and must be 0.6 <= share <= 1"),
        ("ScoreShape('share', low=None, high=0.1)", "share is 0.5, and must be share <= 0.1"),
    ],
)
def test_a_score_of_another_shape_is_refused(bench, shape, said) -> None:
    bench.offer(scenarios=f"[scenario(score={shape})]")
    assert said in failure(bench.run()).message


@pytest.mark.parametrize(
    ("artifact", "said"),
    [
        ("Artifact(components=['cards'])", "the program has no component cards; it has: skills"),
        ("Artifact(max_chars=3)", "skills has more than 3 characters"),
    ],
)
def test_an_artefact_of_another_shape_is_refused(bench, artifact, said) -> None:
    bench.offer(scenarios=f"[scenario(artifact={artifact})]")
    assert said in failure(bench.run()).message


def test_all_that_is_missing_is_told_at_once_and_nothing_is_started(bench) -> None:
    tools = "Tool('gf-nowhere', cure='apt-get install it'), Tool('{python}', '>=99')"
    bench.offer(scenarios=f"[scenario(tools=[{tools}], environ={{'GF_ABSENT': 'the key of it'}})]")
    error = failure(bench.run())
    assert "tool gf-nowhere: is not on PATH; apt-get install it" in error.message
    python = ".".join(map(str, sys.version_info[:2]))
    assert f"is {python}" in error.message
    assert ">=99 is needed" in error.message
    assert "variable GF_ABSENT: is not set; set it: the key of it" in error.message
    assert (error.error_code, int(error.exit_code)) == ("gepa_preflight_failed", 5)
    assert bench.asked() == []


@pytest.mark.parametrize(
    ("text", "versions", "said"),
    [
        ("echo tool 1.2.3-beta", ">=1.2,<2", ""),
        ("echo tool 1.2.3 >&2", ">=2", "is 1.2.3, and >=2 is needed"),
        ("echo nothing", ">=2", "told no version: 'nothing'"),
        ("exit 3", ">=2", "told no version: ''"),
        ("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", ">=2", "wrote more than 65536 bytes"),
        ("echo tool v1.0.0", "", ""),
    ],
)
def test_a_tool_is_asked_for_its_version(bench, with_path, text, versions, said) -> None:
    with_path(text)
    bench.offer(scenarios=f"[scenario(tools=[Tool('tool', {versions!r})])]")
    if said:
        assert said in failure(bench.run()).message
    else:
        assert bench.run().preflight()[0].ok


def test_how_to_ask_and_what_to_look_for_is_the_scenarios(bench, with_path) -> None:
    with_path('test "$1 $2" = "version short" && echo "built 2020.01 release R7.1"')
    tool = "Tool('tool', '==7.1', ask=('version', 'short'), pattern='R([0-9.]+)')"
    bench.offer(scenarios=f"[scenario(tools=[{tool}])]")
    assert "7.1 in " in bench.run().preflight()[0].detail


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('so'); print(0.25)", ""),
        ("print('{\"share\": 1}')", ""),
        ("print('{\"other\": 1}')", "its last line is not a number, or an object with 'share'"),
        ("print('true')", "its last line is not a number"),
        ("print(1.5)", "share is 1.5, and must be 0 <= share <= 1"),
        ("raise SystemExit('no such thing')", "ended with 1: no such thing"),
    ],
)
def test_a_scorer_must_print_a_score(bench, code, said) -> None:
    bench.offer(scenarios=SCORE.format(code=code, more={}).replace("{{", "{").replace("}}", "}"))
    if said:
        assert f"scorer: {said}" in failure(bench.run()).message
    else:
        assert bench.run().preflight()[-1].name == "scorer"


def test_a_validator_is_given_the_artefact_of_the_seed(bench) -> None:
    code = "import json, sys; sys.exit(json.load(open(sys.argv[1]))['components']['skills'][:3] != '0 0')"
    bench.offer(scenarios=f"[scenario(validator=('{{python}}', '-c', {code!r}, '{{artifact}}'))]")
    assert bench.run().preflight()[-1].detail == "takes the seed's artefact"
    bench.offer("other", "[scenario(validator=('false',))]", dist="gf-other")
    assert "validator: ended with 1" in failure(bench.run("other")).message


def test_what_a_command_leaves_running_is_ended(bench) -> None:
    beat = bench.path / "beat"
    code = f"(while :; do date >> {beat}; done) & echo $! > {bench.path / 'pid'}; echo 0.5"
    bench.offer(scenarios=f"[scenario(score=ScoreShape('share'), scorer=('sh', '-c', {code!r}))]")
    bench.run().preflight()
    try:
        handle = os.pidfd_open(int((bench.path / "pid").read_text()))
    except ProcessLookupError:
        return
    # The signal is sent; that it is delivered takes a moment.
    ended, _, _ = select.select([handle], [], [], 30)
    os.close(handle)
    assert ended


def test_a_command_that_does_not_end_is_ended(bench) -> None:
    bench.offer(scenarios="[scenario(validator=('sleep', '30'), smoke=Smoke(seconds=0.3))]")
    assert "validator: did not end within 0.3 s" in failure(bench.run()).message


def test_a_run_begins_with_the_preflight_of_the_scenario_that_it_names(bench) -> None:
    bench.offer()
    run = bench.run("skills", "run.run_id=r1")
    assert run.awaits_preflight
    run.execute()
    assert bench.asked()[:4] == [
        *(f"{what} preflight-skills" for what in ("describe", "rollout train:0", "close")),
        "describe r1",
    ]
    again = bench.run("skills", "run.run_id=r1")
    assert not again.awaits_preflight
    asked = bench.asked()
    again.execute()
    GepaRun.resume(run.run_dir).execute()
    assert not [line for line in bench.asked()[len(asked) :] if "preflight" in line]


def test_a_run_that_fails_its_preflight_does_not_begin(bench) -> None:
    bench.offer(scenarios="[scenario(environ={'GF_ABSENT': 'it'})]")
    run = bench.run("skills", "run.run_id=r1")
    with pytest.raises(PreflightError):
        run.execute()
    assert not run.run_dir.exists()


def test_a_run_that_is_answered_by_its_cache_has_no_preflight(bench) -> None:
    bench.offer()
    assert not bench.run("skills", "cache.mode=readonly").awaits_preflight


def test_a_configuration_may_be_tried_by_the_scenario_of_another(bench) -> None:
    bench.offer()
    path = bench.path / "gepa.toml"
    text = scenario_text(bench.run().scenario, installed_schema().schema)
    path.write_text(text.replace('scenario = "skills"', ""))
    run = GepaRun.from_toml(path, environ={})
    assert run.scenario is None
    assert not run.awaits_preflight
    assert run.preflight("skills")
    with pytest.raises(ScenarioNotFoundError, match="names no scenario"):
        run.preflight()
