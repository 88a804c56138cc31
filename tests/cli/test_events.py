from __future__ import annotations

import json
import re

import pytest


@pytest.fixture
def finished(shell):
    shell.run("run", "--config", "gepa.toml", "--display", "none")
    return shell.path / "runs" / "first"


@pytest.fixture
def second(shell, finished):
    shell.run("run", "--config", "gepa.toml", "--display", "none", "--set", "run.run_id=second")
    return shell.path / "runs" / "second"


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_group_alone_shows_its_help(shell) -> None:
    assert shell.run("events").stdout == shell.run("events", "--help").stdout
    assert "Did you mean 'tail'?" in shell.run("events", "tali").stderr


def test_the_end_of_a_run_is_shown_a_line_each(shell, finished) -> None:
    done = shell.run("events", "tail", "first", "-n", "3")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(r" +\d+ \[ 0:0\d\] gepa\.run\.finished best_candidate_id=gepa_\S+ .*", lines[-1])


def test_the_end_of_a_normalised_feed_has_no_clock(shell, finished) -> None:
    done = shell.run("events", "tail", "runs/first/events.normalized.jsonl", "-n1")
    assert re.fullmatch(r" +\d+ gepa\.run\.finished .*\n", done.stdout)


def test_lines_of_json_are_those_of_the_feed_in_ascii(shell, finished) -> None:
    feed = finished / "events.jsonl"
    lines = feed.read_text().splitlines()
    done = shell.run("events", "tail", "first", "--json", "-n", "5")
    assert done.stdout.splitlines() == lines[-5:]
    change(feed, lines[-1], lines[-1].replace('"gepa.run.finished"', '"gepa.run.\u00e9\U0001f600\u2028"'))
    (line,) = shell.run("events", "tail", "first", "--json", "-n", "1").stdout.splitlines()
    assert line.isascii()
    assert json.loads(line)["type"] == "gepa.run.\u00e9\U0001f600\u2028"


def test_a_pattern_chooses_and_one_that_matches_nothing_known_is_warned_of(shell, finished) -> None:
    done = shell.run("events", "tail", "first", "--type", "candidate.*", "-n", "1000")
    types = {line.split()[3] for line in done.stdout.splitlines()}
    assert {"candidate.registered", "candidate.evaluated"} <= types
    assert all(each.startswith("candidate.") for each in types)
    done = shell.run("events", "tail", "first", "--type", "candidte.*")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "warning: no event that this version knows has a type like 'candidte.*'\n"


def test_texts_of_others_cannot_steer_the_terminal(shell, finished) -> None:
    change(finished / "events.jsonl", '"reason":"', r'"reason":"\u001b[31m\u009b\n')
    done = shell.run("events", "tail", "first", "-n", "1000")
    assert done.exit_code == 0
    assert not re.search("[\x1b\x9b]", done.stdout)


def test_a_live_run_is_followed_until_it_ends(shell) -> None:
    shell.config(**{'transport = "skills"': 'transport = "skills"\nmood = "slow"\ngate = "gate"'})
    running = shell.popen("run", "--config", "gepa.toml", "--display", "plain")
    following = None
    try:
        assert any("the seed" in line for line in running.stderr)
        following = shell.popen("events", "tail", "first", "--follow", "--json", "-n", "2")
        seen = []
        for line in following.stdout:
            seen.append(line.rstrip("\n"))
            if '"iteration.started"' in line:
                # Until then the run waits, and so does who follows it.
                (shell.path / "gate").touch()
        assert (following.wait(timeout=50), running.wait(timeout=50)) == (0, 0)
    finally:
        for process in filter(None, (running, following)):
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()
    told = (shell.path / "runs/first/events.jsonl").read_text().splitlines()
    assert seen == told[-len(seen) :]
    assert json.loads(seen[-1])["type"] == "gepa.run.finished"
    assert len(seen) > 20


def test_a_reader_that_goes_away_ends_the_tail(shell, finished, monkeypatch) -> None:
    given = []
    monkeypatch.setattr("gepa_framework.cli.output.answer", given.append)
    assert shell.run("events", "tail", "first", "-n", "5").exit_code == 0
    assert len(given) == 1


def test_a_replay_tells_what_the_plain_display_told(shell) -> None:
    ran = shell.run("run", "--config", "gepa.toml", "--display", "plain")
    story = [line for line in ran.stderr.splitlines() if not line.startswith("warning")]
    done = shell.run("events", "replay", "first")
    assert (done.exit_code, done.stderr) == (0, "")
    told, proved = done.stdout.split("\n\n")
    assert told.splitlines() == [line.replace(str(shell.path) + "/", "") for line in story]
    feed, record = proved.splitlines()
    assert re.fullmatch(r"feed +runs/first/events\.jsonl, \d+ events without a gap", feed)
    assert re.fullmatch(r"as on record +events\.jsonl, events\.normalized\.jsonl", record)


def test_a_replay_of_a_feed_alone_tells_the_same_and_proves_the_numbers(shell, finished) -> None:
    whole = shell.run("events", "replay", "first").stdout.splitlines()
    lines = shell.run("events", "replay", "--events", "runs/first/events.jsonl").stdout.splitlines()
    assert lines[:-1] == whole[1:-2]
    normalised = shell.run("events", "replay", "runs/first/events.normalized.jsonl").stdout.splitlines()
    assert normalised[:-2] == [line[8:] for line in lines[:-2]]
    assert normalised[0].startswith("container ")


def test_a_replay_as_json_is_one_object(shell, finished) -> None:
    told = json.loads(shell.run("events", "replay", "first", "--json").stdout)
    events = json.loads((finished / "result_manifest.json").read_text())["events"]
    assert (told["schema"], told["ok"], told["events"], told["unproved"]) == (1, True, events, [])
    assert told["proved"] == ["events.jsonl", "events.normalized.jsonl"]


@pytest.mark.parametrize("clock", ['"elapsed_seconds":61.5,', ""])
def test_a_replay_of_a_run_that_failed_tells_why(shell, clock) -> None:
    body = '"type":"gepa.run.failed","error_code":"gepa_run_failed","message":"no\\u001b","details":{}'
    (shell.path / "feed.jsonl").write_text(f'{{"seq":1,{clock}{body}}}\n')
    done = shell.run("events", "replay", "feed.jsonl")
    wanted = ("[ 1:01] " if clock else "") + "failed: gepa_run_failed: no\ufffd"
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, wanted)


def test_a_replay_of_a_run_that_its_world_failed_tells_how_far_it_came(shell) -> None:
    shell.config(**{'transport = "skills"': 'transport = "skills"\nmood = "failing"'})
    assert shell.run("run", "--config", "gepa.toml", "--display", "none").exit_code == 1
    done = shell.run("events", "replay", "first")
    assert done.exit_code == 0
    assert done.stdout.count("rollout failed on") == 3
    assert "\x1b" not in done.stdout


def test_a_replay_goes_with_the_limits_of_a_run_that_was_extended(shell, finished) -> None:
    extend = ("--extend", "gepa.max_total_rollouts=400", "--extend", "gepa.max_generations=8")
    assert shell.run("resume", "first", "--display", "none", *extend).exit_code == 0
    lines = shell.run("events", "replay", "first").stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if "limits raised: " in line)
    assert any("/400" in line for line in lines[at:])
    assert not any("/400" in line for line in lines[:at])


def test_what_is_not_on_record_is_an_error_of_the_workspace(shell, finished) -> None:
    change(finished / "events.normalized.jsonl", '"reward":', '"reward":1')
    done = shell.run("events", "replay", "first")
    assert done.exit_code == 5
    assert re.search(r"events\.normalized\.jsonl: line \d+ is not event \d+ of the journal", done.stderr)
    assert "as on record" not in done.stdout


def test_a_gap_is_an_error_that_names_file_and_line(shell, finished) -> None:
    feed = finished / "events.jsonl"
    lines = feed.read_text().splitlines(keepends=True)
    feed.write_text("".join(lines[:4] + lines[5:]))
    for args in (["replay", "first"], ["compare", "first", "first"], ["tail", "first"]):
        done = shell.run("events", *args)
        assert done.exit_code == 5
        assert "events.jsonl:5: the line has event 6 where event 5 belongs" in done.stderr
        assert done.stderr.splitlines()[-1].startswith("next: if it is the feed of a run, delete it")
        told = json.loads(shell.run("events", *args, "--json").stdout.splitlines()[-1])
        assert told["error"]["error_code"] == "gepa_event_feed_error"


def test_equal_runs_compare_equal(shell, second) -> None:
    for args in (
        ("first", "second"),
        ("--left", "first", "--right", "second"),
        ("--right", "second", "first"),
        ("--left", "first", "second"),
        ("runs/first/events.jsonl", "runs/second/events.normalized.jsonl"),
    ):
        done = shell.run("events", "compare", *args)
        assert (done.exit_code, done.stderr) == (0, "")
        assert re.fullmatch(r"equal: \d+ events in runs/first/\S+ and in runs/second/\S+\n", done.stdout)
    told = json.loads(shell.run("events", "compare", "first", "second", "--json").stdout)
    assert (told["ok"], told["difference"]) == (True, None)


def test_the_first_difference_is_told_with_both_values_and_exit_code_1(shell, second) -> None:
    change(second / "events.normalized.jsonl", '"type":"rollout.completed"', '"type":"rollout.\\u001b"')
    other = "runs/second/events.normalized.jsonl"
    done = shell.run("events", "compare", "first", other)
    assert (done.exit_code, done.stdout) == (1, "")
    assert re.fullmatch(
        r'error: event (\d+) \(rollout\.completed\) differs in type: "rollout\.completed" in '
        rf'runs/first/events\.jsonl:\1, "rollout\..*" in {re.escape(other)}:\1\n',
        done.stderr,
    )
    assert "\x1b" not in done.stderr
    told = json.loads(shell.run("events", "compare", "first", other, "--json").stdout)["error"]
    assert (told["error_code"], told["exit_code"]) == ("gepa_event_compare_failed", 1)
    assert told["difference"]["path"] == "type"
    assert told["difference"]["left"] == "rollout.completed"


def test_other_failures_have_no_difference(shell) -> None:
    assert "difference" not in json.loads(shell.run("events", "tail", "x", "--json").stdout)["error"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("compare", "first"), "name two runs or feeds"),
        (("compare",), "name two runs or feeds"),
        (("compare", "a", "b", "c"), "1 argument too many: c"),
        (("compare", "--left", "a", "b", "c"), "1 argument too many: c"),
        (("replay",), "name 1 run or feed"),
        (("replay", "a", "--events", "b"), "1 argument too many: a"),
        (("tail",), "Missing argument"),
        (("tail", "first", "-n", "-1"), "-1 is not in the range"),
        (("tail", "frist"), "no run of that id in ./runs. Did you mean 'first'?"),
    ],
)
def test_a_wrong_command_line_is_told_so(shell, args, message) -> None:
    (shell.path / "runs/first").mkdir(parents=True)
    done = shell.run("events", *args)
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_directory_without_a_feed_is_told_so(shell) -> None:
    (shell.path / "runs/first").mkdir(parents=True)
    for args in (("replay", "first"), ("tail", "first"), ("tail", "first", "-f"), ("compare", "first", ".")):
        done = shell.run("events", *args)
        assert done.exit_code == 5
        assert "runs/first holds no events.jsonl" in done.stderr
