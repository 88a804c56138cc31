from __future__ import annotations

import json

import pytest

from gepa_framework import GepaRun
from gepa_framework.errors import (
    ContainerGoneError,
    ExitCode,
    GepaError,
    PluginBrokenError,
    PluginError,
    PluginNotFoundError,
    RunFailedError,
    TransportError,
)

_REQUIRED = {
    *("best_candidate.json", "cache_profile.json", "candidate_registry.json", "events.jsonl"),
    *("events.normalized.jsonl", "frontier.json", "plugins.lock.json", "result_manifest.json"),
    *("score_chart.svg", "workspace.sqlite"),
}
_TRANSPORT = """
from gepa_framework.errors import TransportError
from gepa_framework.testing.fakes import FakeTransport
class Made(FakeTransport):
    closed = []
    async def {name}(self, *args):
        {act}
    async def close(self):
        {close}
def make(context):
    return Made()
"""


def transport(project, name, act, close="pass"):
    project.offer("transport", "broken", _TRANSPORT.format(name=name, act=act, close=close))
    return project.run(transport="broken", container="")


def test_a_container_that_cannot_start_is_a_typed_error_with_every_file(project):
    run = transport(project, "describe", 'raise TransportError("exit 3", hint="see container.log")')
    with pytest.raises(TransportError, match=r"exit 3; see container\.log") as caught:
        run.execute()
    assert caught.value.run_dir == str(project.directory())
    assert {path.name for path in project.directory().iterdir()} >= _REQUIRED
    manifest = project.read("result_manifest.json")
    assert manifest["status"] == "failed"
    assert manifest["failure"] == {
        "error_code": "gepa_transport_error",
        "message": "exit 3",
        "hint": "see container.log",
    }
    assert (manifest["best_candidate"], manifest["best_score"], manifest["rollouts"]) == ({}, None, 0)
    assert project.read("frontier.json") == {"cells": [], "members": [], "survivors": []}
    assert project.read("best_candidate.json")["candidate_id"] is None
    assert project.registry() == [("r1", "started"), ("r1", "failed")]


def test_a_container_that_was_mended_lets_the_run_go_on(project):
    run = transport(
        project,
        "program",
        f"from pathlib import Path\n        if not Path({str(project.path)!r}, 'mended').exists():\n"
        "            raise TransportError('down')\n        return await super().program()",
    )
    with pytest.raises(TransportError):
        run.execute()
    (project.path / "mended").touch()
    assert GepaRun.resume(project.directory()).execute().status == "finished"


def test_a_transport_that_raises_something_odd_is_named(project):
    run = transport(project, "describe", 'raise KeyError("odd")')
    with pytest.raises(PluginBrokenError, match=r"of gf_app_broken 1\.0 raised KeyError"):
        run.execute()
    assert project.read("result_manifest.json")["failure"]["error_code"] == "gepa_plugin_broken"


def test_a_run_that_fails_gives_the_causes_in_error_feed_and_manifest(project):
    with pytest.raises(RunFailedError, match="unlucky: the lot fell on it") as caught:
        project.run(container="failing_share = 1.0").execute()
    assert {path.name for path in project.directory().iterdir()} >= _REQUIRED
    manifest = project.read("result_manifest.json")
    assert (manifest["status"], manifest["failed_rollouts"]) == ("failed", manifest["rollouts"])
    assert manifest["failure"]["message"] == caught.value.message
    assert "gepa.run.failed" not in project.types(), "a mended world may go on from here"


def test_a_failed_run_keeps_the_best_so_far(project):
    project.offer(
        "proposer",
        "dying",
        """
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.errors import ProposerError
class Dying(FakeProposer):
    async def propose(self, request):
        if request.iteration > 3:
            raise ProposerError("out of words", hint="rest")
        return await super().propose(request)
def make(context):
    return Dying()
""",
    )
    config = project.write(gepa="max_consecutive_proposer_failures = 2")
    config.write_text(config.read_text().replace('backend = "fake"', 'backend = "dying"'))
    with pytest.raises(RunFailedError, match="out of words"):
        GepaRun.from_toml(config, environ={}).execute()
    manifest = project.read("result_manifest.json")
    assert manifest["best_score"] > manifest["seed_score"]
    assert manifest["best_candidate"]
    assert manifest["heldout"] == {}


def test_a_transport_that_does_not_close_ends_no_run(project, caplog):
    run = transport(project, "unused", "pass", close='raise OSError("stuck")')
    assert run.execute().status == "finished"
    assert "the transport 'broken' of gf_app_broken 1.0 did not close: OSError: stuck" in caplog.text


def test_plugins_are_closed_however_a_run_ends(project):
    run = transport(
        project, "describe", 'raise TransportError("down")', close='type(self).closed.append("closed")'
    )
    with pytest.raises(TransportError):
        run.execute()
    import gf_app_broken

    assert gf_app_broken.Made.closed == ["closed"]


def test_a_plugin_that_is_not_installed_is_refused_before_anything_is_written(project):
    with pytest.raises(PluginNotFoundError, match="faek"):
        project.run(transport="faek", container="")
    assert not (project.path / "runs").exists()


@pytest.mark.parametrize(
    ("kind", "table"),
    [("listener", "[[listeners]]"), ("stopper", "[[stoppers]]"), ("executor", "[executor]")],
)
def test_a_plugin_that_does_not_build_is_refused_before_anything_is_written(project, kind, table):
    project.offer(kind, "unbuilt", 'def make(context):\n    raise OSError("no such luck")')
    run = project.run(more=f'{table}\nuse = "unbuilt"')
    with pytest.raises(PluginError, match="no such luck"):
        run.execute()
    assert not project.directory().exists()
    assert project.asked() == []


def test_a_stopper_that_raises_is_named_and_the_run_can_go_on_without_it(project):
    project.offer(
        "stopper",
        "shaky",
        """
from pathlib import Path
class Shaky:
    def __init__(self, flag):
        self.flag = flag
    def check(self, view):
        if view.iteration == 2 and not self.flag.exists():
            raise ZeroDivisionError("by zero")
def make(context):
    return Shaky(context.base_dir / "mended")
""",
    )
    with pytest.raises(PluginBrokenError, match=r"of gf_app_shaky 1\.0 raised ZeroDivisionError: by zero"):
        project.run(more='[[stoppers]]\nuse = "shaky"').execute()
    (project.path / "mended").touch()
    result = GepaRun.resume(project.directory()).execute()
    assert result.status == "finished"
    asked = [line.split() for line in project.asked()]
    again = [
        polled for place, (name, _, polled) in enumerate(asked) if name in {n for n, *_ in asked[:place]}
    ]
    # The one outcome at which the stopper broke is not on record; it is asked for by its id.
    assert again == ["True"]


def test_a_stopper_that_answers_nonsense_is_named(project):
    project.offer(
        "stopper",
        "vague",
        "class V:\n    def check(self, view):\n        return True\ndef make(context):\n    return V()",
    )
    with pytest.raises(PluginBrokenError, match=r"the stopper 'vague' of gf_app_vague 1\.0 gave bool"):
        project.run(more='[[stoppers]]\nuse = "vague"').execute()


def test_a_listener_that_may_stop_the_run_stops_it(project):
    project.offer(
        "listener",
        "touchy",
        """
class Touchy:
    def on_event(self, event):
        raise ValueError("cannot bear it")
    def close(self):
        pass
def make(context):
    return Touchy()
""",
    )
    with pytest.raises(PluginBrokenError, match=r"of gf_app_touchy 1\.0 raised ValueError: cannot bear it"):
        project.run(more='[[listeners]]\nuse = "touchy"\non_error = "stop"').execute()
    manifest = project.read("result_manifest.json")
    assert manifest["status"] == "failed"
    project.run("r2", more='[[listeners]]\nuse = "touchy"\non_error = "warn"').execute()


def test_every_error_of_a_run_knows_its_directory(project):
    with pytest.raises(GepaError) as caught:
        transport(project, "rows", "return []").execute()
    assert caught.value.run_dir == str(project.directory())
    assert json.loads((project.directory() / "result_manifest.json").read_text())["failure"]


def test_a_run_that_the_world_failed_goes_on_once_it_is_mended(project):
    share = project.path / "share"
    share.write_text("broken")
    project.offer(
        "transport",
        "mendable",
        f"""
from pathlib import Path
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import FailureKind, RolloutFailure
class Mendable(FakeTransport):
    async def rollout(self, request):
        if request.stage == "parent_minibatch" and Path({str(share)!r}).read_text() == "broken":
            return RolloutFailure(FailureKind.CONTAINER, "broken", "out of order")
        return await super().rollout(request)
def make(context):
    return Mendable()
""",
    )
    run = project.run(transport="mendable", container="", gepa="rollout_failure_rate_tolerance = 0.1")
    with pytest.raises(RunFailedError, match="out of order"):
        run.execute()
    share.write_text("mended")
    assert GepaRun.resume(project.directory()).execute().status == "finished"


def test_a_container_that_is_gone_stops_the_run_and_loses_nothing(project):
    share = project.path / "share"
    share.write_text("up")
    project.offer(
        "transport",
        "mortal",
        f"""
from pathlib import Path
from gepa_framework.errors import ContainerGoneError
from gepa_framework.testing.fakes import FakeTransport
class Mortal(FakeTransport):
    async def rollout(self, request):
        if request.stage == "candidate_minibatch" and Path({str(share)!r}).read_text() == "up":
            raise ContainerGoneError("it died", hint="bring it back")
        return await super().rollout(request)
def make(context):
    return Mortal()
""",
    )
    run = project.run(transport="mortal", container="")
    with pytest.raises(ContainerGoneError, match="it died") as caught:
        run.execute()
    assert caught.value.exit_code == ExitCode.ENVIRONMENT
    assert "rollout.failed" not in project.types()
    share.write_text("buried")
    resumed = GepaRun.resume(project.directory()).execute()
    assert (resumed.status, resumed.failed_rollouts) == ("finished", 0)
