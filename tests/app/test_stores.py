"""A run may keep its journal in any store; the directory of the run says in which."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from gepa_framework import GepaRun
from gepa_framework.app import prepare
from gepa_framework.app.stores import read_journal
from gepa_framework.errors import (
    ConfigError,
    DiskBudgetError,
    ExitCode,
    GepaError,
    InterruptedRunError,
    PluginBrokenError,
    PluginLockError,
    PluginNotFoundError,
    RunStateError,
    WorkspaceError,
)
from gepa_framework.runtime.attempts import rollout_id

LINES = '[store]\nuse = "lines"\n'


@pytest.fixture
def whole(project):
    """Give the feed of a run in SQLite that nobody interrupted."""
    project.run("whole", container="").execute()
    return project.normalised("whole")


def events_on_record(directory):
    with closing(read_journal(directory)) as journal:
        return journal.events


def interrupted(project, at, count=3, **options):
    listener = at("iteration.started", count, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        project.run(**options).execute(listeners=[listener], handle_signals=True)


def test_a_store_of_somebody_else_gives_the_same_feed_byte_for_byte(project, whole):
    result = project.run(more=LINES).execute()
    assert project.normalised() == whole
    directory = project.directory()
    assert (directory / "journal.jsonl").is_file()
    assert not (directory / "workspace.sqlite").exists()
    assert result.workspace_db_path is None
    assert result.store_location == f"lines in {directory / 'journal.jsonl'}"
    assert "workspace" not in {ref["kind"] for ref in result.artifact_refs}
    assert project.read("result_manifest.json")["workspace_db_path"] is None


def test_the_directory_of_a_run_names_its_store(project):
    project.run(more=f'{LINES}path = "kept/a.jsonl"\npassword_env = "PGPASSWORD"').execute()
    told = project.read("store.json")
    assert told["store"] == "gepa-fakes:lines"
    assert told["config"] == {"dsn": "", "path": "kept/a.jsonl", "password_env": "PGPASSWORD"}
    assert (told["run_id"], told["base_dir"]) == ("r1", str(project.path))
    assert told["plugin"] == project.read("plugins.lock.json")["plugins"][-1]
    assert (project.path / "kept" / "a.jsonl").is_file()
    project.run("plain").execute()
    assert project.read("store.json", "plain")["store"] == "gepa-framework:sqlite"


def test_an_interrupted_run_goes_on_from_its_store(project, at, whole):
    interrupted(project, at, more=f'{LINES}path = "kept/a.jsonl"')
    moved = project.path / "runs" / "moved"
    shutil.move(project.directory(), moved)
    seen = events_on_record(moved)
    assert seen == len((moved / "events.jsonl").read_text().splitlines()) > 0
    result = GepaRun.resume(moved).execute()
    assert result.status == "finished"
    assert project.normalised("moved") == whole
    assert len(project.asked()) == len({line.split()[0] for line in project.asked()}) == result.rollouts
    assert events_on_record(moved) == len(whole.splitlines())


@pytest.mark.parametrize(
    "failpoint", ["before_commit:1", "before_commit:9", "after_commit:2", "after_commit:20", "after_feed:14"]
)
def test_a_killed_run_goes_on_from_its_store(project, distributions, whole, failpoint):
    config = project.write(more=LINES)
    code = (
        f"import sys; sys.path[:0] = [{str(project.site)!r}, {str(distributions)!r}]\n"
        f"from gepa_framework import GepaRun; GepaRun.from_toml({str(config)!r}).execute()"
    )
    environ = {**os.environ, "GEPA_FAILPOINT": failpoint}
    done = subprocess.run([sys.executable, "-c", code], env=environ, timeout=50, check=False)
    assert done.returncode == -signal.SIGKILL
    with (project.directory() / "journal.jsonl").open("a") as torn:
        torn.write('{"inputs": [[12, "roll')
    kept = (project.directory() / "journal.jsonl").read_text()
    before = len(project.asked())
    GepaRun.resume(project.directory()).execute()
    assert project.normalised() == whole
    rows = [row for line in kept.splitlines()[1:-1] for row in json.loads(line)["inputs"]]
    known = {rollout_id("r1", row[2], 1) for row in rows if row[1] == "rollout"}
    asked = [line.split()[0] for line in project.asked()]
    assert known <= set(asked[:before])
    assert not known & set(asked[before:])


def test_a_run_from_before_stores_goes_on(project, at, monkeypatch, whole):
    """Its directory names no store, its lock holds none, and its database has the first schema."""
    chosen = prepare._choices
    with monkeypatch.context() as older:
        older.setattr(prepare, "_choices", lambda config: chosen(config)[:-1])
        interrupted(project, at)
    (project.directory() / "store.json").unlink()
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
            database.execute(f"DROP VIEW {name}")
        database.execute("DROP TABLE blobs")
        database.execute("DROP TABLE checkpoints")
        database.execute("DROP TABLE artifact_refs")
        database.execute("ALTER TABLE inputs DROP COLUMN access")
        database.execute("UPDATE alembic_version SET version_num = '0001'")
        database.commit()
    GepaRun.resume(project.directory()).execute()
    assert project.normalised() == whole
    assert project.read("store.json")["store"] == "gepa-framework:sqlite"


# -- what is refused


ELSEWHERE = pytest.mark.parametrize(
    ("first", "second"),
    [("", LINES), (LINES, ""), (LINES, f'{LINES}path = "elsewhere.jsonl"'), (LINES, LINES)],
)


def contents(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@ELSEWHERE
def test_a_finished_run_gives_its_result_again_from_the_store_that_it_has(project, first, second):
    result = project.run(more=first).execute()
    before, asked = contents(project.path / "runs"), project.asked()
    again = project.run(more=second)
    assert again.already_finished
    assert again.execute() == result
    assert contents(project.path / "runs") == before
    assert project.asked() == asked


@ELSEWHERE
def test_a_run_is_not_begun_where_another_store_has_one_that_is_unfinished(project, at, first, second):
    interrupted(project, at, more=first)
    before = contents(project.path / "runs")
    with pytest.raises(RunStateError, match="there is an unfinished run in"):
        project.run(more=second).execute()
    assert contents(project.path / "runs") == before


def test_a_run_in_another_store_is_extended_and_proved(project):
    GepaRun.from_toml(project.write("long"), sets=["gepa.max_generations=9"], environ={}).execute()
    project.run(more=LINES).execute()
    GepaRun.resume(project.directory(), extend=["gepa.max_generations=9"]).execute()
    before = contents(project.path / "runs")
    proof = GepaRun.verify(project.directory())
    assert (proof.status, proof.unproved) == ("finished", ())
    assert proof.events == events_on_record(project.directory())
    assert {"events.jsonl", "result_manifest.json"} <= set(proof.files)
    assert contents(project.path / "runs") == before
    assert project.types().count("iteration.started") == project.types("long").count("iteration.started")


def test_a_journal_is_read_as_it_was_while_somebody_appends(project, at):
    opened, proofs = [], []

    def look():
        opened.append(read_journal(project.directory()))

    def prove():
        proofs.append(GepaRun.verify(project.directory()))

    project.run(more=LINES).execute(listeners=[at("iteration.started", 2, look), at("gepa.stop", 1, prove)])
    with closing(opened[0]) as journal:
        assert len(list(journal.load())) == journal.inputs > 0
        assert len(list(journal.lines())) == journal.events
    assert journal.events < proofs[0].events < len(project.types())
    assert proofs[0].status == "running"


@pytest.mark.parametrize("act", [GepaRun.resume, GepaRun.verify])
def test_a_store_that_cannot_be_opened_for_reading_alone_says_so(project, act):
    body = (
        "    def open(self, *, readonly=False):\n"
        "        if readonly:\n"
        "            raise WorkspaceError('this store has one reader, which writes')\n"
        "        super().open()\n"
    )
    project.run(more=bad(project, body)).execute()
    before = contents(project.path / "runs")
    with pytest.raises(WorkspaceError, match="this store has one reader, which writes"):
        act(project.directory())
    assert contents(project.path / "runs") == before


def test_a_run_is_not_begun_over_the_journal_of_another_in_a_shared_store(project):
    project.run(more=f'{LINES}path = "kept/a.jsonl"').execute()
    with pytest.raises(WorkspaceError, match="there is a run"):
        project.run("r2", more=f'{LINES}path = "kept/a.jsonl"').execute()
    assert not project.directory("r2").exists()


def test_a_run_that_was_killed_before_its_journal_began_may_be_started_again(project, whole):
    project.run(more=LINES).execute()
    for path in project.directory().iterdir():
        if path.name != "store.json":
            path.unlink()
    project.run(more=LINES).execute()
    assert project.normalised() == whole


def test_a_journal_that_cannot_be_begun_leaves_the_choice_open(project, whole):
    (project.path / "kept").write_text("a file, where a directory is wanted")
    with pytest.raises(GepaError):
        project.run(more=f'{LINES}path = "kept/a.jsonl"').execute()
    project.run().execute()
    assert project.normalised() == whole


def test_a_journal_that_was_begun_keeps_its_record_whatever_comes_then(project, whole):
    more = bad(project, "    def meta(self): return super().meta() if self.good else 7")
    with pytest.raises(PluginBrokenError, match="meta gave 7"):
        project.run(more=more).execute()
    (project.path / "good").touch()
    with pytest.raises(RunStateError, match="there is an unfinished run"):
        project.run(more=more).execute()
    GepaRun.resume(project.directory()).execute()
    assert project.normalised() == whole


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("dsn", "postgres://me:hunter2@db/x", ":24:1: store.dsn: holds a credential"),
        ("dsn", "with sk-abcdefgh12345678", ":24:1: store.dsn: holds a credential"),
        ("dsn", "canary-of-the-environment", ":24:1: store.dsn: holds a credential"),
    ],
)
def test_a_secret_is_refused_where_it_stands_and_never_written(project, monkeypatch, key, value, place):
    monkeypatch.setenv("SOME_API_KEY", "canary-of-the-environment")
    run = project.run(more=f'{LINES}{key} = "{value}"')
    line = (project.path / "r1.toml").read_text().splitlines().index(f'{key} = "{value}"') + 1
    for act in (run.check, run.execute):
        with pytest.raises(ConfigError) as caught:
            act()
        assert place.replace(":24:", f":{line}:") in str(caught.value)
        assert "name an environment variable" in str(caught.value)
        assert value not in str(caught.value)
    assert not project.directory().exists()


def test_a_store_that_is_gone_is_named_with_its_run(project, at):
    interrupted(project, at, more=LINES)
    record = project.directory() / "store.json"
    record.write_text(record.read_text().replace("gepa-fakes:lines", "gepa-gone:lines"))
    with pytest.raises(PluginNotFoundError) as caught:
        GepaRun.resume(project.directory())
    assert f"the journal of {project.directory()} is in the store 'gepa-gone:lines'" in str(caught.value)
    assert caught.value.exit_code is ExitCode.PLUGIN


def test_a_store_that_changed_is_refused_before_it_is_asked(project, at, whole):
    interrupted(project, at, more=LINES)
    record = project.directory() / "store.json"
    told = json.loads(record.read_text())
    told["plugin"]["version"] = "0.9"
    record.write_text(json.dumps(told))
    (project.directory() / "journal.jsonl").rename(project.path / "away")
    with pytest.raises(PluginLockError, match=r"the version of the store 'lines' was 0\.9 and is now 1\.0"):
        GepaRun.resume(project.directory())
    (project.path / "away").rename(project.directory() / "journal.jsonl")
    GepaRun.resume(project.directory(), accept_changed_plugins=True).execute()
    assert project.normalised() == whole


def test_a_store_whose_configuration_is_another_is_refused(project, at):
    interrupted(project, at, more=LINES)
    record = project.directory() / "store.json"
    record.write_text(record.read_text().replace('"dsn"', '"dns"'))
    with pytest.raises(PluginLockError, match="it takes no such configuration as the run was started with"):
        GepaRun.resume(project.directory())


def test_a_journal_that_was_moved_is_found_by_an_edited_record(project, at, whole):
    interrupted(project, at, more=f'{LINES}path = "kept/a.jsonl"')
    (project.path / "kept").rename(project.path / "moved")
    record = project.directory() / "store.json"
    record.write_text(record.read_text().replace("kept/", "moved/"))
    with pytest.raises(PluginLockError):
        GepaRun.resume(project.directory())
    GepaRun.resume(project.directory(), accept_changed_plugins=True).execute()
    assert project.normalised() == whole
    assert not (project.path / "kept").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "is no JSON"),
        (b"\xff", "is no text"),
        (b"[]", "does not say where the run's journal is; restore it from a backup"),
        (b'{"schema": 1, "store": 3}', "does not say where the run's journal is"),
        (b'{"schema": 2}', "has schema 2; upgrade gepa-framework"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_with_words(project, text, said):
    project.run().execute()
    (project.directory() / "store.json").write_bytes(text)
    with pytest.raises(WorkspaceError, match=r"store\.json") as caught:
        GepaRun.resume(project.directory())
    assert said in str(caught.value)


# -- stores that misbehave

_BAD = """
from gepa_fakes_store import LinesStore
from gepa_framework.errors import DiskBudgetError, WorkspaceError
class Bad(LinesStore):
    def __init__(self, context):
        super().__init__(context.run_dir / "journal.jsonl")
        self.context, self.appended = context, 0
        self.good = (context.base_dir / "good").exists()
{body}
def make(context):
    return Bad(context)
"""


def bad(project, body: str) -> str:
    project.offer("store", "bad", _BAD.format(body=body))
    return '[store]\nuse = "bad"'


_RAISING = """
    def append(self, rows):
        self.appended += 1
        if self.appended == 7 and not self.good:
            raise {error}
        super().append(rows)
"""


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            "ValueError('no key sk-canary4711')",
            PluginBrokenError,
            "the store 'bad' of gf_app_bad 1.0: append raised ValueError: no",
        ),
        (
            "SystemExit(3)",
            PluginBrokenError,
            "the store 'bad' of gf_app_bad 1.0: append raised SystemExit: 3; mend it and resume",
        ),
        ("DiskBudgetError('full of sk-canary4711')", DiskBudgetError, "full of "),
    ],
)
def test_a_store_that_raises_stops_the_run_and_nothing_is_fed_by_half(project, whole, error, kind, said):
    more = bad(project, _RAISING.format(error=error))
    with pytest.raises(kind) as caught:
        project.run(more=more).execute()
    assert str(caught.value).startswith(said)
    assert "canary" not in str(caught.value)
    fed = project.normalised()
    assert fed
    assert whole.startswith(fed)
    assert events_on_record(project.directory()) == len(fed.splitlines())
    assert project.read("result_manifest.json")["failure"]["error_code"] == kind.error_code
    (project.path / "good").touch()
    GepaRun.resume(project.directory()).execute()
    assert project.normalised() == whole


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def location(self): return 7", "location gave 7; give what the Protocol Store says"),
        ("def exists(self): return 'no'", "exists gave 'no'"),
        ("def meta(self): return [1]", "meta gave [1]"),
        ("def meta(self): return {1: 2}", "meta gave {1: 2}; texts by names are expected"),
        (
            "append = lambda self, rows: self.later()\n    async def later(self): ...",
            "append is asynchronous; a store is called from a thread",
        ),
        ("def append(self, rows): return 3", "append gave 3"),
        ("def last(self, table): return 7", "last gave as a row of inputs 7; give values back as they were"),
        ("def last(self, table): return (1, 2)", "last gave as a row of inputs (1, 2)"),
    ],
)
def test_a_store_that_gives_something_else_is_named(project, body, said):
    with pytest.raises(PluginBrokenError) as caught:
        project.run(more=bad(project, f"    {body}")).execute()
    assert f"the store 'bad' of gf_app_bad 1.0: {said}" in str(caught.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("[str(each) for each in row]", "rows gave as a row of events ['1', '1', 'gepa.run.started', "),
        ("row[:-1]", "rows gave as a row of events [1, 1, 'gepa.run.started', "),
        ("dict(enumerate(row))", "rows gave as a row of events {0: 1, "),
        (
            "None if 1 / 0 else row",
            "rows raised ZeroDivisionError: division by zero; mend it and resume the run",
        ),
    ],
)
def test_a_store_that_gives_other_rows_back_is_named(project, at, row, said):
    body = "    def last(self, table):\n        return LinesStore(self.path).last(table)\n"
    body += "    def rows(self, table):\n        for row in super().rows(table):\n"
    body += f"            yield ({row}) if self.good else row"
    interrupted(project, at, more=bad(project, body))
    (project.path / "good").touch()
    with pytest.raises(PluginBrokenError) as caught:
        GepaRun.resume(project.directory()).execute()
    assert f"the store 'bad' of gf_app_bad 1.0: {said}" in str(caught.value)


@pytest.mark.parametrize(
    "store",
    [
        ("[row[:-1] for row in rows]", "events_after gave as a row of events ["),
        ("1 / 0", "events_after raised ZeroDivisionError: division by zero"),
        ("rows", ""),
    ],
)
def test_a_store_that_finds_events_by_number_is_asked_for_the_last_ones(
    project, whole, at, store, monkeypatch
):
    give, said = store
    monkeypatch.setattr("gepa_framework.workspace.feed_file.TAIL_BYTES", 100)
    body = "    def events_after(self, seq):\n"
    body += f"        rows = [row for row in self.rows('events') if row[0] > seq]\n        return {give}"
    interrupted(project, at, more=bad(project, body))
    resumed = GepaRun.resume(project.directory())
    if said:
        with pytest.raises(PluginBrokenError) as caught:
            resumed.execute()
        assert f"the store 'bad' of gf_app_bad 1.0: {said}" in str(caught.value)
    else:
        resumed.execute()
        assert project.normalised() == whole


def test_a_store_that_does_not_close_is_a_warning(project, whole, caplog):
    body = "    def close(self):\n        super().close()\n        raise OSError('gone')"
    assert project.run(more=bad(project, body)).execute().status == "finished"
    assert project.normalised() == whole
    owner = "the store 'bad' of gf_app_bad 1.0"
    assert f"{owner} did not close: {owner}: close raised OSError: gone" in caplog.text


_LYING = {
    "drops a transaction": "if self.appended == 7: return",
    "drops an input": "if self.appended == 7: rows = attrs.evolve(rows, inputs=rows.inputs[1:])",
    "drops an event": "if self.appended == 7: rows = attrs.evolve(rows, events=rows.events[1:])",
    "repeats a transaction": "self.appended == 7 and super().append(rows)",
    "changes a payload": (
        "rows = attrs.evolve(rows, inputs=[(*row[:5], row[5].replace('1.0', '0.0'), *row[6:]) "
        "for row in rows.inputs])"
    ),
}


@pytest.mark.parametrize("lie", _LYING)
def test_a_store_that_lies_is_found_out_when_the_run_goes_on(project, at, lie):
    body = "    def append(self, rows):\n        import attrs\n        self.appended += 1\n"
    body += f"        {_LYING[lie]}\n        super().append(rows)"
    interrupted(project, at, 4, more=bad(project, body))
    with pytest.raises(WorkspaceError, match=r"is not what was written|follows from no input") as caught:
        GepaRun.resume(project.directory()).execute()
    assert "lines in " in str(caught.value)


def test_a_store_that_is_no_store_is_refused_before_anything_is_spent(project):
    project.offer("store", "no_store", "def make(context): return object()")
    with pytest.raises(PluginBrokenError, match="gepa_make_store returned no Store but <object"):
        project.run(more='[store]\nuse = "no_store"').execute()
    assert not project.directory().exists()
    assert project.asked() == []


def test_an_unknown_store_is_refused_where_it_stands(project):
    with pytest.raises(PluginNotFoundError, match=r"r1\.toml:\d+:1: store\.use: no store called 'lnes'; did"):
        project.run(more='[store]\nuse = "lnes"')


def test_the_store_does_not_belong_to_what_decides_a_run(project):
    assert project.run().plan == project.run(more=LINES).plan
