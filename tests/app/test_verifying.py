from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing

import attrs
import pytest

from gepa_framework import GepaRun
from gepa_framework.errors import (
    ConfigError,
    InterruptedRunError,
    PluginLockError,
    ReplayDivergenceError,
    RunFailedError,
    WorkspaceError,
)
from gepa_framework.workspace import WorkspaceLock

EXPORTS = (
    "candidate_registry.json",
    "frontier.json",
    "best_candidate.json",
    "score_chart.svg",
    "result_manifest.json",
)
FEEDS = ("events.jsonl", "events.normalized.jsonl")
RECORDS = ("journal.mark", "plugins.lock.json", "store.json")
DERIVED = frozenset({*EXPORTS, *FEEDS, *RECORDS})


@pytest.fixture
def finished(project):
    return project.run().execute()


def verify(project, **options):
    return GepaRun.verify(project.directory(), **options)


def interrupted(project, at, count=3, **options):
    listener = at("iteration.started", count, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        project.run(**options).execute(listeners=[listener], handle_signals=True)


def edit(project, *statements):
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        for statement in statements:
            assert database.execute(statement).rowcount > 0
        database.commit()


def rewrite(project, name, change):
    path = project.directory() / name
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before


def replace(old, new):
    def change(text):
        assert old in text
        return text.replace(old, new, 1)

    return change


def refused(project, message):
    with pytest.raises(WorkspaceError, match=message) as caught:
        verify(project)
    assert caught.value.hint
    return caught.value


def test_a_finished_run_is_proved_with_its_numbers(project, finished):
    proved = verify(project)
    types = project.types()
    assert proved.run_id == "r1"
    assert (proved.status, proved.unproved) == ("finished", ())
    assert set(proved.files) == DERIVED
    assert proved.events == len(types) == finished.events
    assert proved.rollouts == types.count("rollout.completed") == finished.rollouts
    assert proved.decisions == types.count("candidate.accepted") + types.count("candidate.rejected") > 0
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        inputs, chain = database.execute("SELECT max(position), chain FROM inputs").fetchone()
    assert (proved.inputs, proved.chain) == (inputs, chain.hex())


def blobs(project):
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        return [row for (row,) in database.execute("SELECT sha256 FROM blobs ORDER BY rowid")]


def test_every_request_to_the_proposer_is_proved(project, finished):
    proved = verify(project)
    assert proved.requests == project.types().count("proposer.started") == len(blobs(project)) > 1


@pytest.mark.parametrize("which", [0, -1])
def test_a_request_that_was_forged_or_deleted_is_named(project, finished, which):
    sha256 = blobs(project)[which]
    edit(project, f"UPDATE blobs SET body = replace(body, 'a', 'b') WHERE sha256 = '{sha256}'")
    refused(project, f"text {sha256} is not what was written; it is the request of ")
    edit(project, f"DELETE FROM blobs WHERE sha256 = '{sha256}'")
    refused(project, f"there is no text {sha256}; it is the request of ")


def test_a_store_that_has_no_place_for_requests_is_named(project, finished):
    count = verify(project).requests
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        database.execute("DROP TABLE blobs")
        database.execute("UPDATE alembic_version SET version_num = '0001'")
        database.commit()
    proved = verify(project)
    assert proved.requests == 0
    said = f"{count} requests to the proposer: the store is of schema 0001, which keeps none"
    assert proved.unproved == ("the definitions of workspace.sqlite: they are of schema 0001", said)


def test_nothing_is_written_asked_or_left_behind(project, finished):
    before = {path.name: path.read_bytes() for path in project.directory().iterdir()}
    times = {path.name: path.stat().st_mtime_ns for path in project.directory().iterdir()}
    asked, registry = project.asked(), project.registry()
    verify(project)
    assert {path.name: path.read_bytes() for path in project.directory().iterdir()} == before
    assert {path.name: path.stat().st_mtime_ns for path in project.directory().iterdir()} == times
    assert (project.asked(), project.registry()) == (asked, registry)


def test_a_moved_run_is_proved_where_it_is(project, finished):
    moved = project.path / "elsewhere"
    project.directory().rename(moved)
    assert set(GepaRun.verify(moved).files) == DERIVED


def test_an_extended_run_is_proved(project, finished):
    GepaRun.resume(project.directory(), extend=["gepa.max_generations=8"]).execute()
    assert set(verify(project).files) == DERIVED


def test_a_run_that_failed_is_proved(project):
    with pytest.raises(ConfigError):
        project.run(more='[candidate]\ntarget_modules = ["nobody"]').execute()
    proved = verify(project)
    assert (proved.status, proved.unproved) == ("failed", ())
    with pytest.raises(RunFailedError):
        project.run("r2", container="failing_share = 1.0").execute()
    other = GepaRun.verify(project.directory("r2"))
    assert (other.status, set(other.files)) == ("running", DERIVED)


def test_an_interrupted_run_is_proved_as_far_as_it_goes(project, at):
    interrupted(project, at)
    proved = verify(project)
    assert (proved.status, proved.unproved) == ("running", ())
    assert set(proved.files) == DERIVED


def test_a_run_that_goes_on_is_proved_as_far_as_it_is_on_record(project, at):
    seen = []

    def look():
        seen.append(verify(project))

    project.run().execute(listeners=[at("iteration.started", 3, look), at("heldout.completed", 1, look)])
    for proved in seen:
        assert proved.status == "running"
        assert set(proved.files) <= {*FEEDS, *RECORDS}
        assert [each for each in proved.unproved if "works on the run" in each]
    assert len(seen) == 2
    assert 0 < seen[0].events < seen[1].events < verify(project).events


def test_a_resumed_run_that_goes_on_does_not_mind_old_exports(project, at):
    interrupted(project, at)
    seen = []
    listener = at("iteration.started", 5, lambda: seen.append(verify(project)))
    GepaRun.resume(project.directory()).execute(listeners=[listener])
    assert seen[0].status == "running"


def test_what_was_exported_before_a_crash_is_proved_at_the_point_where_it_was_written(project, at):
    interrupted(project, at)
    old = {name: (project.directory() / name).read_bytes() for name in EXPORTS}
    listener = at("iteration.started", 5, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        GepaRun.resume(project.directory()).execute(listeners=[listener], handle_signals=True)
    for name, content in old.items():
        (project.directory() / name).write_bytes(content)
    proved = verify(project)
    assert set(proved.files) == DERIVED
    assert any("was written after event" in each for each in proved.unproved)
    rewrite(project, "frontier.json", replace('"coverage": 8', '"coverage": 7'))
    refused(project, r"frontier\.json: members\.0\.coverage is 7, and the journal gives 8")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE inputs SET payload = replace(payload, '0.0', '0.5') WHERE position = 9",
            "input 9 is not what",
        ),
        ("UPDATE inputs SET elapsed_us = elapsed_us + 1 WHERE position = 7", "input 7 is not what"),
        ("UPDATE events SET body = replace(body, 'train:', 'test:') WHERE seq = 9", "event 9 is not what"),
        ("UPDATE events SET type = 'rollout.failed' WHERE seq = 9", "event 9 is not what"),
        ("DELETE FROM events WHERE seq = 20", r"(event|input) \d+ is not what"),
        ("DELETE FROM inputs WHERE position = 20", r"(event|input) \d+ is not what"),
        (
            "UPDATE meta SET value = replace(value, 'seed = 3', 'seed = 4') WHERE key = 'config_text'",
            "recorded of",
        ),
        ("UPDATE meta SET value = '[' WHERE key = 'sets'", "recorded of the run when it began"),
    ],
)
def test_a_row_that_was_changed_is_named(project, finished, statement, message):
    edit(project, statement)
    refused(project, message)


def last(project, column, table):
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        return database.execute(f"SELECT max({column}) FROM {table}").fetchone()[0]


@pytest.mark.parametrize("how_many", [1, 2, 30])
def test_rows_that_were_cut_off_the_end_are_missed_by_the_feeds(project, finished, how_many):
    cut = last(project, "position", "inputs") - how_many
    edit(project, f"DELETE FROM events WHERE position > {cut}", f"DELETE FROM inputs WHERE position > {cut}")
    error = refused(project, r"events\.jsonl goes on after event \d+, where the journal ends: .* lost rows")
    assert "backup" in error.hint
    with pytest.raises(
        WorkspaceError, match=r"events\.jsonl goes on to event \d+, and the journal ends at event"
    ):
        GepaRun.resume(project.directory()).execute()


def test_rows_that_were_cut_off_are_missed_by_the_mark_without_the_feeds(project, finished):
    cut = last(project, "position", "inputs") - 3
    edit(project, f"DELETE FROM events WHERE position > {cut}", f"DELETE FROM inputs WHERE position > {cut}")
    for name in FEEDS:
        (project.directory() / name).unlink()
    said = r"journal\.mark: the journal had \d+ inputs and \d+ events and has \d+ and \d+: it has lost rows"
    refused(project, said)
    with pytest.raises(WorkspaceError, match=said):
        GepaRun.resume(project.directory()).execute()


def test_rows_that_were_cut_off_are_missed_by_the_manifest_without_feeds_and_mark(project, at):
    interrupted(project, at)
    cut = last(project, "position", "inputs") - 3
    edit(project, f"DELETE FROM events WHERE position > {cut}", f"DELETE FROM inputs WHERE position > {cut}")
    for name in (*FEEDS, "journal.mark"):
        (project.directory() / name).unlink()
    refused(
        project,
        r"result_manifest\.json was written after event \d+, and the journal ends at event \d+: it has lost",
    )


def test_feeds_that_are_deleted_let_a_cut_journal_go_on_as_its_message_says(project, finished):
    cut = last(project, "position", "inputs") - 5
    edit(project, f"DELETE FROM events WHERE position > {cut}", f"DELETE FROM inputs WHERE position > {cut}")
    feed = project.normalised()
    for name in (*FEEDS, "journal.mark"):
        (project.directory() / name).unlink()
    GepaRun.resume(project.directory()).execute()
    assert project.normalised() == feed


def test_a_last_line_that_is_torn_or_rubbish_does_not_hide_the_lines_before_it(project, finished):
    cut = last(project, "position", "inputs") - 5
    edit(project, f"DELETE FROM events WHERE position > {cut}", f"DELETE FROM inputs WHERE position > {cut}")
    for name in FEEDS:
        path = project.directory() / name
        path.write_text(path.read_text()[:-20] + "\n")
    with pytest.raises(WorkspaceError, match="has lost rows"):
        GepaRun.resume(project.directory()).execute()


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replace('"reward":1.0', '"reward":0.0'), r": line \d+ is not event \d+ of the journal: it is"),
        (lambda text: text.replace("\n", "\n\n", 1), ": line 2 is not event 2"),
        (lambda text: text[text.index("\n") + 1 :], ": line 1 is not event 1"),
        (lambda text: text + '{"seq":9999}\n', r" goes on after event \d+, where the journal ends"),
        (lambda text: text + "x", r" goes on after event \d+"),
        (lambda text: text[: len(text) // 2], r" ends after event \d+, and the journal has \d+"),
        (lambda text: text[:-1], r" ends after event \d+, and the journal has \d+"),
        (lambda _: "", " ends after event 0, and the journal has"),
    ],
)
def test_a_feed_that_differs_is_named_with_the_line(project, finished, name, change, message):
    rewrite(project, name, change)
    refused(project, name.replace(".", r"\.") + message)


@pytest.mark.parametrize("name", [*FEEDS, *EXPORTS])
def test_a_file_that_is_missing_is_named(project, finished, name):
    (project.directory() / name).unlink()
    refused(project, name.replace(".", r"\."))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "frontier.json",
            replace('"coverage": 8', '"coverage": 7'),
            r"members\.0\.coverage is 7, and .* gives 8",
        ),
        ("best_candidate.json", replace('"iteration": ', '"iteration": 1'), r"iteration is 1\d, and"),
        (
            "best_candidate.json",
            replace('"skills"', '"talents"'),
            r"components\.talents is \"[\d ]+\", and .* nothing",
        ),
        (
            "candidate_registry.json",
            replace('"seed"', '"sead"'),
            r"candidates\.0\.source is \"sead\", and .* \"seed\"",
        ),
        ("score_chart.svg", replace("</svg>", "</svg> "), "is not what the journal gives"),
        ("frontier.json", replace("{", "["), "is not JSON"),
        ("frontier.json", lambda text: text + "\n", "is not laid out as it was written"),
        (
            "result_manifest.json",
            replace('"rollouts": ', '"rollouts": 1'),
            r"rollouts is 1\d+, and the journal",
        ),
        (
            "result_manifest.json",
            replace('"status": "finished"', '"status": "failed"'),
            'status is "failed", and',
        ),
        ("result_manifest.json", replace('"failure": null', '"failure": {}'), "failure is {}, and .* null"),
        ("result_manifest.json", replace('"kind": "max_generations"', '"kind": "x"'), r"stopped_by\.kind is"),
        ("result_manifest.json", replace('"score": ', '"score": 1'), r"(best_score|heldout\.\w+\.score) is"),
        (
            "result_manifest.json",
            replace('"iterations": 6\n', '"iterations": 7\n'),
            r"limits\.iterations is 7",
        ),
        (
            "result_manifest.json",
            replace('"sha256": "', '"sha256": "f'),
            r"the SHA-256 of events\.jsonl is not",
        ),
        ("result_manifest.json", replace('"events": ', '"events": 1'), "it has lost rows"),
        ("result_manifest.json", replace('"events": ', '"events": -'), "does not say after how many events"),
        ("result_manifest.json", replace('"events": ', '"evens": '), "does not say after how many events"),
        ("result_manifest.json", lambda _: "", "is not JSON"),
        ("result_manifest.json", lambda _: "[]", "does not say after how many events"),
    ],
)
def test_an_exported_file_that_differs_is_named_with_the_place(project, finished, name, change, message):
    if "sha256" in message or "SHA-256" in message:
        path = project.directory() / name
        value = json.loads(path.read_text())
        value["artifact_refs"].sort(key=lambda ref: ref["kind"] != "event_feed")
        path.write_text(json.dumps(value, indent=2) + "\n")
    rewrite(project, name, change)
    refused(project, rf"{name}.*: .*{message}|{name} was written.*{message}")


def test_exports_from_before_the_end_are_old(project, finished):
    path = project.directory() / "result_manifest.json"
    value = json.loads(path.read_text())
    old = {name: (project.directory() / name).read_bytes() for name in EXPORTS}
    GepaRun.resume(project.directory(), extend=["gepa.max_generations=7"]).execute()
    for name, content in old.items():
        (project.directory() / name).write_bytes(content)
    refused(project, rf"was written after event {value['events']}, and the run went on to event \d+")


def test_events_that_do_not_follow_are_a_divergence(project, finished, monkeypatch):
    from gepa_framework.app import history

    prepare = history._prepare

    def other(run_dir, meta, sets):
        prepared = prepare(run_dir, meta, sets)
        return attrs.evolve(prepared, plan=attrs.evolve(prepared.plan, seed=99))

    monkeypatch.setattr(history, "_prepare", other)
    with pytest.raises(ReplayDivergenceError, match=r"input 1, event 1 of what follows: recorded"):
        verify(project)


def test_changed_plugins_are_refused_unless_they_are_accepted(project):
    listener = "class Quiet:\n    def on_event(self, event): ...\n    def close(self): ...\n"
    project.offer("listener", "quiet", f"{listener}def make(context):\n    return Quiet()")
    project.run(more='[[listeners]]\nuse = "quiet"').execute()
    metadata = project.site / "gf_app_quiet-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.0\n", "2.0\n"))
    with pytest.raises(PluginLockError, match="quiet"):
        verify(project)
    assert verify(project, accept_changed_plugins=True).status == "finished"


def test_only_stoppers_are_built(project):
    project.offer("listener", "loud", "def make(context):\n    raise SystemExit('built')")
    config = project.write(more='[[stoppers]]\nuse = "max_iterations"\niterations = 2')
    GepaRun.from_toml(config, environ={}).execute()
    edit_text = "UPDATE meta SET value = value WHERE key = 'config_text'"
    edit(project, edit_text)
    assert verify(project).status == "finished"


@pytest.mark.parametrize("place", ["nowhere", "."])
def test_what_is_no_run_cannot_be_verified(project, place):
    with pytest.raises(WorkspaceError, match="does not exist"):
        GepaRun.verify(project.path / place)


def test_a_run_that_another_process_holds_is_not_disturbed(project, finished):
    lock = WorkspaceLock(project.directory())
    try:
        proved = verify(project)
    finally:
        lock.release()
    assert set(proved.files) == {*FEEDS, *RECORDS}
    assert any("process" in each for each in proved.unproved)


def test_a_run_that_ends_at_this_moment_may_have_feeds_that_lag_behind(project, finished):
    rewrite(project, "events.jsonl", lambda text: text[:-30])
    refused(project, r"events\.jsonl ends after event \d+, and the journal has \d+")
    lock = WorkspaceLock(project.directory())
    try:
        proved = verify(project)
    finally:
        lock.release()
    assert proved.files == ("events.normalized.jsonl", *RECORDS)
    assert any("events.jsonl ends after event" in each for each in proved.unproved)


def test_a_verification_can_be_written_as_json(project, finished):
    proved = verify(project)
    again = json.loads(json.dumps(proved.to_dict()))
    assert again["chain"] == proved.chain
    assert again["files"] == list(proved.files)
    assert again["run_dir"] == str(project.directory())
