from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import attrs
import pytest
from tests.durability.conftest import CONFIG
from tests.durability.platter import Cut, Name, Op, Platter, Sync, SyncNames, cuts
from tests.durability.recorder import Recorder
from tests.durability.states import restore

from gepa_framework import GepaRun
from gepa_framework.errors import GepaError
from gepa_framework.types import Event

pytestmark = pytest.mark.timeout(300)

_STATES = 40


@attrs.frozen
class Teller:
    """Tells of each event that it hears, as a person would act on it."""

    recorder: Recorder

    def on_event(self, event: Event) -> None:
        self.recorder.told(event.seq)

    def close(self) -> None:
        pass


@attrs.frozen
class Story:
    """A run that ended, and all that was done for it."""

    config: Path
    log: list[Op]
    feed: str


@pytest.fixture
def story(quick: Path, fakes: None) -> Story:
    config = quick / "gepa.toml"
    config.write_text(CONFIG.replace('run_id = "whole"', 'run_id = "cut"\noutput_dir = "world/runs"'))
    (quick / "world").mkdir()
    recorder = Recorder(quick / "world")
    with recorder.watching():
        GepaRun.from_toml(config, environ={}).execute(listeners=[Teller(recorder)])
    return Story(config, recorder.log, normalised(quick))


def normalised(base: Path) -> str:
    return (base / "world" / "runs" / "cut" / "events.normalized.jsonl").read_text()


def events_on_record(run_dir: Path) -> int:
    path = run_dir / "workspace.sqlite"
    if not path.exists():
        return -1
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT count(*) FROM events").fetchone()[0])


def fault(cut: Cut, story: Story) -> str:
    """Say what is wrong with a run that is taken up after a power cut; empty where nothing is."""
    base = story.config.parent
    restore(cut.left, base / "world")
    run_dir = base / "world" / "runs" / "cut"
    if events_on_record(run_dir) < cut.told:
        return f"{cut.told} events were told and {events_on_record(run_dir)} are on record"
    try:
        if (run_dir / "workspace.sqlite").exists():
            GepaRun.resume(run_dir).execute()
        else:
            GepaRun.from_toml(story.config, environ={}).execute()
        GepaRun.verify(run_dir)
    except GepaError as error:
        return f"{type(error).__name__}: {error}"
    return "" if normalised(base) == story.feed else "another feed"


def faults(log: list[Op], story: Story) -> Iterator[str]:
    for cut in Random(5).sample(list(cuts(log, 1)), _STATES):
        if said := fault(cut, story):
            yield f"after operation {cut.at}, chance {cut.seed}: {said}"


def test_a_run_goes_on_after_a_power_cut_wherever_it_was(story: Story) -> None:
    assert list(faults(story.log, story)) == []


def test_a_run_whose_directory_is_not_there_any_more_is_caught(story: Story) -> None:
    log = [op for op in story.log if op not in (SyncNames("runs"), SyncNames(""))]
    assert any("are on record" in said for said in faults(log, story))


def test_a_run_that_is_over_is_all_on_the_disk(story: Story) -> None:
    platter = Platter()
    for op in story.log:
        platter.do(op)
    world = story.config.parent / "world"
    restore(platter.least(), world)
    proved = GepaRun.verify(world / "runs" / "cut")
    assert (proved.status, proved.unproved) == ("finished", ())
    assert "journal.mark" in proved.files


def test_an_export_that_takes_its_name_too_soon_is_caught(story: Story) -> None:
    drafts = {op.file for op in story.log if isinstance(op, Name) and op.path.endswith("json.new")}
    log = [op for op in story.log if not (isinstance(op, Sync) and op.file in drafts)]
    assert any("is no JSON" in said for said in faults(log, story))
