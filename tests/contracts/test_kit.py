"""What the kit brings besides contracts."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gepa_framework.plugins import Plugins
from gepa_framework.testing import contracts, strategies
from gepa_framework.testing.clock import Deadlock, VirtualClock
from gepa_framework.testing.container import ScriptedContainer, Turn
from gepa_framework.testing.playing import play
from gepa_framework.testing.samples import sample_events
from gepa_framework.types import EVENT_TYPES, Event, Kind, compact_json, event_fields

CLASSES = [getattr(contracts, name) for name in contracts.__all__]
OPTIONS = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "-W", "error"]


@pytest.fixture
def inner(tmp_path):
    """Run a module of tests in a process of its own, with the plugin of the kit."""

    def run(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "conftest.py").write_text('pytest_plugins = ["gepa_framework.testing.plugin"]\n')
        (tmp_path / "test_inner.py").write_text(text)
        command = [sys.executable, "-m", "pytest", *OPTIONS, "test_inner.py"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)

    return run


@pytest.mark.parametrize("cls", CLASSES)
def test_every_contract_and_every_promise_is_documented(cls):
    assert cls.__doc__
    silent = [name for name, test in vars(cls).items() if name.startswith("test_") and not test.__doc__]
    assert silent == []


def test_every_kind_of_plugin_has_a_contract():
    assert {cls.kind for cls in CLASSES} == {None, *Kind}


def test_a_forgotten_fixture_is_an_error_that_names_it(inner):
    done = inner(
        "from gepa_framework.builtin import deadline\n"
        "from gepa_framework.testing.contracts import *\n"
        "import pytest\n"
        "class TestNothing(ProposerContract): ...\n"
        "class TestKeys(StopperContract):\n"
        "    @pytest.fixture\n"
        "    def plugin(self): return deadline\n"
        "class TestViews(TestKeys):\n"
        "    @pytest.fixture\n"
        "    def config(self): return deadline.DeadlineConfig(5.0)\n"
    )
    assert done.returncode == 1
    assert "TestNothing must override the fixture plugin" in done.stdout
    assert "TestKeys must override the fixture config: the keys seconds have no default" in done.stdout
    assert "TestViews must override the fixture run_that_stops" in done.stdout
    assert "skipped" not in done.stdout


LEAKS = {
    "environ": ("os.environ['GEPA_LEAK'] = 'secret'", "environment variables that changed: GEPA_LEAK"),
    "threads": ("threading.Thread(target=OVER.wait, name='worker', daemon=True).start()", "worker"),
    "sockets": ("KEPT.append(socket.create_server(('127.0.0.1', 0)))", "open sockets"),
    "children": ("KEPT.append(subprocess.Popen(['sleep', '20']))", "child processes"),
}


def test_a_test_that_leaves_something_behind_fails(inner):
    leaking = [f"def test_{kind}(): {act}\n" for kind, (act, _) in LEAKS.items()]
    allowed = [
        f"@pytest.mark.gepa_may_leave('{kind}')\ndef test_allowed_{kind}(): {act.replace('LEAK', 'MORE')}\n"
        for kind, (act, _) in LEAKS.items()
    ]
    done = inner(
        "import os, pytest, socket, subprocess, threading\n"
        "KEPT, OVER = [], threading.Event()\n"
        f"{''.join(leaking + allowed)}"
        "def test_clean(monkeypatch): monkeypatch.setenv('GEPA_CLEAN', '1')\n"
        "def teardown_module():\n"
        "    OVER.set()\n"
        "    for each in KEPT:\n"
        "        if hasattr(each, 'kill'): each.kill(); each.wait()\n"
        "        else: each.close()\n"
    )
    assert "9 passed, 4 errors" in done.stdout
    assert "secret" not in done.stdout.replace("= 'secret'", "")
    for _, sentence in LEAKS.values():
        assert sentence in done.stdout


def test_the_fixtures_are_there_for_those_who_opt_in(inner):
    done = inner(
        "import asyncio, urllib.request\n"
        "def test_context(gepa_build_context, tmp_path):\n"
        "    assert gepa_build_context(seed=7).seed == 7\n"
        "    assert gepa_build_context().base_dir == tmp_path\n"
        "def test_run(gepa_run):\n"
        "    async def scene(): return 42\n"
        "    assert gepa_run(scene()) == 42\n"
        "def test_plugins(gepa_plugins): assert gepa_plugins.founds()\n"
        "def test_clock(gepa_clock):\n"
        "    gepa_clock.run(asyncio.sleep(3600))\n"
        "    assert gepa_clock.time() >= 3600\n"
        "def test_container(gepa_container):\n"
        "    with urllib.request.urlopen(gepa_container().url + '/health') as answer:\n"
        "        assert answer.status == 200\n"
    )
    assert "5 passed" in done.stdout


def test_a_scene_that_leaves_a_task_is_refused():
    async def scene():
        task = asyncio.create_task(asyncio.Event().wait(), name="left-over")
        asyncio.current_task().kept = task

    with pytest.raises(AssertionError, match="left-over"):
        play(scene())


def test_a_scene_that_does_not_end_is_refused():
    with pytest.raises(AssertionError, match=r"not done within 0\.01 s"):
        play(asyncio.Event().wait(), seconds=0.01)


def test_a_timeout_of_the_scene_itself_goes_through():
    async def scene():
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        play(scene())


# -- the clock


def test_hours_pass_in_their_order():
    async def scene():
        woken = []

        async def sleeper(hours):
            await asyncio.sleep(hours * 3600)
            woken.append(hours)

        await asyncio.gather(*map(sleeper, (3, 1, 2)))
        return woken

    clock = VirtualClock(start=100.0)
    assert clock.run(scene()) == [1, 2, 3]
    assert 100 + 3 * 3600 <= clock.time() < 100 + 3 * 3600 + 1


def test_a_timeout_is_of_that_clock():
    async def scene():
        async with asyncio.timeout(86400):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        VirtualClock().run(scene())


def test_waiting_for_nothing_is_found_out():
    with pytest.raises(Deadlock):
        VirtualClock().run(asyncio.Event().wait())


def test_time_does_not_go_back():
    clock = VirtualClock()
    clock.advance(2.5)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    assert clock.time() == 2.5


# -- the container


def ask(container, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(container.url + path, data)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_container_goes_by_its_script_and_remembers():
    with ScriptedContainer([Turn(reward=0.25), Turn(http_status=503, body={"detail": "busy"})]) as container:
        status, record = ask(container, "/rollouts", {"rollout_id": "a"})
        assert (status, record["reward_info"]) == (200, {"outcome_reward": 0.25})
        assert [ask(container, "/rollouts", {"rollout_id": name})[0] for name in "bc"] == [503, 503]
        assert [each.body["rollout_id"] for each in container.asked("/rollouts")] == ["a", "b", "c"]


def test_an_asynchronous_rollout_runs_until_it_was_looked_at_so_often():
    with ScriptedContainer([Turn(polls=2)]) as container:
        submitted = ask(container, "/rollouts", {"rollout_id": "a", "submission_mode": "async"})[1]
        states = [ask(container, "/rollouts/a/state")[1]["status"] for _ in range(3)]
        assert [submitted["status"], *states] == ["queued", "running", "running", "completed"]
        assert ask(container, "/rollouts/a")[1]["reward_info"] == {"outcome_reward": 1.0}


def test_a_container_may_answer_anything():
    with ScriptedContainer(lambda body: Turn(reward=len(body["rollout_id"]))) as container:
        container.overrides["/program"] = (200, {"version": "x"}, {})
        assert ask(container, "/program") == (200, {"version": "x"})
        assert ask(container, "/nowhere")[0] == 404
        assert ask(container, "/rollouts", {"rollout_id": "abc"})[1]["reward_info"]["outcome_reward"] == 3


# -- samples and strategies


def test_there_is_a_sample_of_every_event():
    assert [event.type for event in sample_events()] == list(EVENT_TYPES)


VALUES = [
    value
    for name, value in vars(strategies).items()
    if inspect.isfunction(value)
    and value.__module__ == strategies.__name__
    and not name.startswith("_")
    and not inspect.signature(value).parameters.get("type_")
]


@pytest.mark.parametrize("type_", EVENT_TYPES)
def test_there_are_bodies_of_every_event_and_they_are_json(type_):
    @settings(max_examples=10, database=None)
    @given(strategies.bodies(type_))
    def any_body(body):
        assert json.loads(compact_json(event_fields(Event(1, 0.0, body))))["type"] == type_

    any_body()


@pytest.mark.parametrize("strategy", VALUES, ids=lambda value: value.__name__)
def test_a_strategy_gives_values(strategy):
    @settings(max_examples=20, database=None)
    @given(st.data())
    def some(data):
        data.draw(strategy())

    some()


def test_installed_plugins_are_found_as_a_run_finds_them():
    assert {found.name for found in Plugins.discover().founds()} >= {"sqlite", "jsonl"}
