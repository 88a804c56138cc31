from __future__ import annotations

import hashlib
import json
import sqlite3
import statistics
from contextlib import closing
from pathlib import Path

import pytest

from gepa_framework import GepaRun
from gepa_framework.app import files
from gepa_framework.app.identities import Deployment
from gepa_framework.errors import BudgetExceededError, ConfigError, RunFailedError, WorkspaceError
from gepa_framework.types import FREE

_FILES = {
    "best_candidate.json",
    "cache_profile.json",
    "candidate_registry.json",
    "events.jsonl",
    "events.normalized.jsonl",
    "frontier.json",
    "journal.mark",
    "plugins.lock.json",
    "result_manifest.json",
    "score_chart.svg",
    "workspace.lock",
    "store.json",
    "workspace.sqlite",
}


@pytest.fixture
def result(project):
    return project.run().execute()


def test_a_finished_run_says_what_it_came_to(project, result):
    assert (result.run_id, result.status, result.failure) == ("r1", "finished", None)
    assert result.run_dir == project.directory()
    assert result.iterations == 6
    assert result.best_score > result.seed_score == 0.0
    assert set(result.best_candidate) == {"skills"}
    assert result.heldout.keys() == {"seed", "best"}
    assert result.heldout["best"].rows == 4
    assert result.stopped_by.kind == "max_generations"
    assert result.rollouts == len(project.asked())
    assert (result.cost_usd, result.usage, result.unpriced, result.failed_rollouts) == (0.0, FREE, (), 0)
    assert result.candidates == 1 + project.types().count("candidate.accepted")


def test_a_result_is_json(project, result):
    fields = json.loads(json.dumps(result.to_dict()))
    assert fields["run_dir"] == str(project.directory())
    assert fields["stopped_by"]["kind"] == "max_generations"
    assert fields["heldout"]["seed"]["coverage"] == 4
    assert fields["usage"]["total_tokens"] == 0
    assert [row["to"] for row in fields["state_history"]] == [
        "initializing",
        "seed_full_train",
        "searching",
        "heldout",
        "finished",
    ]
    assert fields["state_history"][0]["from"] == "created"


def test_every_file_is_there_and_the_result_knows_where(project, result):
    assert {path.name for path in result.run_dir.iterdir()} == _FILES
    for name in (
        *("manifest_path", "event_feed_path", "normalized_event_feed_path", "cache_profile_path"),
        *("candidate_registry_path", "frontier_path", "score_chart_path", "workspace_db_path"),
    ):
        path = getattr(result, name)
        assert isinstance(path, Path)
        assert path.is_file()
    assert result.run_registry_path == project.path / "runs" / "run_registry.jsonl"


def test_artefacts_are_listed_with_digests_that_are_right(result):
    kinds = {ref["kind"] for ref in result.artifact_refs}
    assert kinds >= {"workspace", "event_feed", "normalized_event_feed", "frontier", "plugins_lock"}
    for ref in result.artifact_refs:
        content = Path(ref["path"]).read_bytes()
        assert ref["sha256"] == hashlib.sha256(content).hexdigest()
        assert ref["bytes"] == len(content)


def test_the_manifest_is_the_result(project, result):
    manifest = project.read("result_manifest.json")
    assert manifest.pop("schema") == "gepa_result_manifest.v1"
    assert len(manifest.pop("manifest_sha256")) == 64
    assert manifest == json.loads(json.dumps(result.to_dict()))


def test_the_best_candidate_is_in_a_file_of_its_own(project, result):
    best = project.read("best_candidate.json")
    assert best["candidate_id"] == result.best_candidate_id
    assert best["components"] == dict(result.best_candidate)
    assert best["score"] == result.best_score


def test_scores_stand_beside_their_standard_errors(project, result):
    rewards: dict[str, list[float]] = {}
    for line in project.normalised().splitlines():
        event = json.loads(line)
        if event["type"] == "rollout.completed" and event["stage"] in (
            "seed_full_train",
            "candidate_full_train",
        ):
            rewards.setdefault(event["candidate_id"], []).append(event["reward"])
    expected = {name: statistics.stdev(given) / len(given) ** 0.5 for name, given in rewards.items()}
    front = {row["candidate_id"]: row["stderr"] for row in project.read("frontier.json")["members"]}
    registry = {
        row["candidate_id"]: row["stderr"]
        for row in project.read("candidate_registry.json")["candidates"]
        if row["train_reward"] is not None
    }
    assert front == registry == pytest.approx(expected)
    assert (
        project.read("best_candidate.json")["stderr"] == result.best_stderr == front[result.best_candidate_id]
    )
    assert result.best_stderr > 0
    seed = result.heldout_measurements_by_candidate[0].id
    assert result.seed_stderr == front[seed]


def test_the_verdict_and_who_is_who_are_in_the_manifest(project, result):
    manifest = project.read("result_manifest.json")
    (verdict,) = [
        event
        for event in map(json.loads, project.normalised().splitlines())
        if event["type"] == "heldout.verdict"
    ]
    seed, best = result.heldout["seed"], result.heldout["best"]
    assert manifest["improvement_verdict"].items() <= verdict.items()
    assert manifest["improvement_verdict"]["mean_difference"] == pytest.approx(best.score - seed.score)
    assert manifest["optimization_selected_candidate"] == {
        "id": result.best_candidate_id,
        "score": result.best_score,
        "stderr": result.best_stderr,
        "n": 8,
        "split": "train",
    }
    assert manifest["deployment_candidate"] == {
        "id": result.best_candidate_id,
        "rule": "optimization_selected",
    }
    measured = manifest["heldout_measurements_by_candidate"]
    assert [row["score"] for row in measured] == [seed.score, best.score]
    assert [(row["stderr"], row["n"], row["split"]) for row in measured] == [
        (seed.stderr, 4, "heldout"),
        (best.stderr, 4, "heldout"),
    ]
    assert manifest["heldout_best_candidate"] in measured


BACKWARDS = """
from gepa_framework.testing.fakes import FakeTransport
import attrs
class Backwards(FakeTransport):
    async def rollout(self, request):
        given = await super().rollout(request)
        return attrs.evolve(given, reward=1.0 - given.reward) if request.row.split == "test" else given
def make(context):
    return Backwards()
"""


def test_the_heldout_best_is_the_best_candidate_where_the_rule_says_so(project):
    project.offer("transport", "backwards", BACKWARDS)
    options = {"transport": "backwards", "container": ""}
    plain = project.run("plain", **options).execute()
    ruled = project.run("ruled", gepa='deployment_rule = "heldout_best"', **options).execute()
    seed = plain.heldout_measurements_by_candidate[0]
    assert plain.heldout["best"].score < seed.score
    assert plain.deployment_candidate.id == plain.best_candidate_id != seed.id
    assert plain.heldout_best_candidate == seed

    assert ruled.deployment_candidate == Deployment(seed.id, "heldout_best")
    assert ruled.best_candidate_id == seed.id
    assert (ruled.best_score, ruled.best_stderr) == (ruled.seed_score, ruled.seed_stderr)
    assert ruled.heldout["best"] == ruled.heldout["seed"]
    assert ruled.optimization_selected_candidate == plain.optimization_selected_candidate
    assert ruled.improvement_verdict == plain.improvement_verdict
    best = project.read("best_candidate.json", "ruled")
    assert (best["candidate_id"], best["score"]) == (seed.id, ruled.seed_score)
    assert best["components"] == dict(ruled.best_candidate) != dict(plain.best_candidate)
    assert GepaRun.resume(ruled.run_dir).execute().best_candidate_id == seed.id


def test_nobody_is_deployed_by_heldout_scores_that_never_came(project):
    project.offer(
        "transport",
        "blind",
        """
from gepa_framework.testing.fakes import FakeTransport
class Blind(FakeTransport):
    async def rollout(self, request):
        if request.row.split == "test":
            return RolloutFailure(FailureKind.CONTAINER, "blind", "no", usage=FREE)
        return await super().rollout(request)
def make(context):
    return Blind()
""",
    )
    rule = 'deployment_rule = "heldout_best"'
    with pytest.raises(RunFailedError, match="not one heldout rollout"):
        project.run(transport="blind", container="", gepa=rule).execute()
    manifest = project.read("result_manifest.json")
    missing = ("improvement_verdict", "deployment_candidate", "heldout_best_candidate")
    assert [manifest[name] for name in missing] == [None] * 3
    assert manifest["best_candidate_id"] == manifest["optimization_selected_candidate"]["id"]
    assert manifest["heldout_measurements_by_candidate"] == []


def test_the_registry_tells_what_became_of_every_candidate(project, result):
    entries = {row["candidate_id"]: row for row in project.read("candidate_registry.json")["candidates"]}
    assert len(entries) == project.types().count("candidate.registered")
    best = entries[result.best_candidate_id]
    assert best["status"] == "accepted"
    assert best["train_reward"] == result.best_score
    assert best["heldout_reward"] == result.heldout["best"].score
    assert best["minibatch"]["after"] > best["minibatch"]["before"]
    rejected = [row for row in entries.values() if row["status"] == "rejected"]
    assert len(rejected) == project.types().count("candidate.rejected")
    assert all(row["minibatch"]["reason"] for row in rejected)
    (seed,) = [row for row in entries.values() if row["source"] == "seed"]
    assert (seed["status"], seed["parent_ids"]) == ("registered", [])


def test_the_frontier_is_a_front(project, result):
    front = project.read("frontier.json")
    assert [cell["row_id"] for cell in front["cells"]] == [f"train:{n}" for n in range(8)]
    assert len(front["members"]) == result.candidates
    members = {row["candidate_id"]: row for row in front["members"]}
    assert members[result.best_candidate_id]["score"] == result.best_score
    assert {row["coverage"] for row in front["members"]} == {8}
    assert set(front["survivors"]) == set(front["weights"]) <= members.keys()
    for cell in front["cells"]:
        assert set(cell["candidates"]) <= members.keys()


def test_the_chart_is_a_picture(result):
    from xml.etree import ElementTree as ET

    root = ET.fromstring(result.score_chart_path.read_text())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.find("{http://www.w3.org/2000/svg}path[@class='best']").get("d")


def test_a_run_is_noted_one_level_up(project, result):
    assert project.registry() == [("r1", "started"), ("r1", "finished")]


def test_the_plugins_are_locked(project, result):
    lock = json.dumps(project.read("plugins.lock.json"))
    assert "gepa-fakes" in lock or "gepa_fakes" in lock
    assert '"fake"' in lock


def test_a_run_that_was_described_has_written_and_asked_nothing(project):
    run = project.run()
    assert (run.run_id, run.run_dir, run.plan.seed) == ("r1", project.directory(), 3)
    assert not project.directory().exists()
    assert project.asked() == []


def test_a_run_without_a_name_gets_one(project):
    config = project.write()
    config.write_text(config.read_text().replace('run_id = "r1"\n', ""))
    first, second = (GepaRun.from_toml(config, environ={}) for _ in range(2))
    assert first.run_id.startswith("gepa_")
    assert first.run_id != second.run_id


def test_listeners_of_the_caller_hear_every_event(project, at):
    listener = at("never", 1, lambda: None)
    project.run().execute(listeners=[listener])
    assert [event.type for event in listener.heard] == project.types()


def test_listeners_of_the_configuration_are_told_and_closed(project):
    project.offer(
        "listener",
        "counter",
        """
class Counter:
    def __init__(self, path):
        self.path, self.seen = path, 0
    def on_event(self, event):
        self.seen += 1
    def close(self):
        self.path.write_text(str(self.seen))
def make(context):
    return Counter(context.base_dir / "counted")
""",
    )
    project.run(more='[[listeners]]\nuse = "counter"').execute()
    assert int((project.path / "counted").read_text()) == len(project.types())


def test_stoppers_of_the_configuration_stop(project):
    result = project.run(more='[[stoppers]]\nuse = "max_iterations"\niterations = 2').execute()
    assert (result.stopped_by.kind, result.iterations) == ("max_iterations", 2)


def test_older_keys_of_the_configuration_stop_too(project):
    result = project.run(gepa="no_improvement_generations = 1\n").execute()
    assert result.stopped_by.kind in {"no_improvement", "max_generations"}
    assert (
        project.run("r2", gepa="score_threshold_value = 0.1").execute().stopped_by.kind == "score_threshold"
    )


def test_what_has_no_effect_is_told(project):
    run = project.run(gepa="rollout_chunk_size = 3")
    (warning,) = run.warnings
    assert warning.path == "gepa.rollout_chunk_size"
    assert "no effect" in warning.message
    assert warning.line > 0


def test_an_impossible_budget_is_refused_before_anything_is_written(project):
    config = project.write()
    config.write_text(config.read_text().replace("max_total_rollouts = 200", "max_total_rollouts = 9"))
    with pytest.raises(BudgetExceededError, match="needs 8 rollouts"):
        GepaRun.from_toml(config, environ={})
    assert not project.directory().exists()


def test_trouble_that_only_the_container_shows_says_where_it_stands(project):
    config = project.write(more='[candidate]\ntarget_modules = ["skils"]')
    with pytest.raises(ConfigError) as caught:
        GepaRun.from_toml(config, environ={}).execute()
    (problem,) = caught.value.problems
    assert problem.path == "candidate.target_modules.0"
    assert config.read_text().splitlines()[problem.line - 1].startswith("target_modules")
    assert "did you mean 'skills'?" in str(caught.value)
    assert caught.value.run_dir == str(project.directory())
    assert project.read("result_manifest.json")["failure"]["error_code"] == "gepa_config_error"


def test_the_workspace_answers_questions(project, result):
    with closing(sqlite3.connect(result.workspace_db_path)) as database:
        (count,) = database.execute("SELECT count(*) FROM rollouts").fetchone()
        best = database.execute(
            "SELECT candidate_id FROM evaluations ORDER BY score DESC, seq LIMIT 1"
        ).fetchone()
    assert count == result.rollouts
    assert best == (result.best_candidate_id,)


def test_a_lone_surrogate_in_a_candidate_is_no_obstacle(project):
    project.offer(
        "proposer",
        "odd",
        """
class Odd:
    async def propose(self, request):
        return Proposal({"skills": "9 " * 12 + "\\ud800"}, usage=FREE)
    async def close(self):
        pass
def make(context):
    return Odd()
""",
    )
    project.offer(
        "transport",
        "lenient",
        """
from gepa_framework.testing.fakes import FakeTransport
class Lenient(FakeTransport):
    async def rollout(self, request):
        return RolloutResult(float(request.candidate.components["skills"][0] != "0"), usage=FREE)
def make(context):
    return Lenient()
""",
    )
    config = project.write(transport="lenient", container="")
    config.write_text(config.read_text().replace('backend = "fake"', 'backend = "odd"'))
    result = GepaRun.from_toml(config, environ={}).execute()
    assert result.best_candidate["skills"].endswith("\ud800")
    assert project.read("best_candidate.json")["components"] == result.best_candidate
    assert GepaRun.resume(result.run_dir).execute().best_candidate == result.best_candidate


def test_files_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        files.write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.json"]
    with pytest.raises(WorkspaceError, match="No such file or directory"):
        files.write_json(tmp_path / "nowhere" / "file.json", {})
