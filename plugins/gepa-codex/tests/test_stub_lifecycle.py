"""What an app-server leaves behind: processes, files, keys; against a scripted one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gepa_codex import process
from gepa_framework.errors import ProposerError
from gepa_framework.types import BuildContext, Preflight


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch):
    monkeypatch.setattr("gepa_codex.supervisor.backoff", lambda failures: 0.01)
    monkeypatch.setattr("gepa_codex.proposer.backoff", lambda failures: 0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def log_of(stub) -> str:
    path = stub.directory / "log.jsonl"
    return path.read_text() if path.exists() else ""


def test_a_cancelled_proposal_interrupts_its_turn(run, proposing, stub, request_, eventually):
    async def cancel():
        async with proposing(**stub.config("silent")) as proposer:
            task = asyncio.create_task(proposer.propose(request_()))
            await eventually(lambda: "turn/start" in log_of(stub))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return stub.asked("turn/interrupt")

    assert run(cancel()) == [{"threadId": "thread-1-0", "turnId": "turn-1"}]


def test_a_cancelled_start_leaves_no_process(run, proposing, stub, request_, eventually):
    async def cancel():
        async with proposing(**stub.config("hangs_at_start")) as proposer:
            task = asyncio.create_task(proposer.propose(request_()))
            await eventually(lambda: bool(stub.pids()) and stub.directory.joinpath("env.json").exists())
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return [is_alive(pid) for pid in stub.pids()]

    assert run(cancel()) == [False]


def test_a_proposal_cancelled_twice_ends_its_server(run, proposing, stub, request_, eventually):
    async def cancel():
        async with proposing(**stub.config("ignores_interrupt")) as proposer:
            task = asyncio.create_task(proposer.propose(request_()))
            await eventually(lambda: "turn/start" in log_of(stub))
            task.cancel()
            await eventually(lambda: "turn/interrupt" in log_of(stub))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return [is_alive(pid) for pid in stub.pids()]

    assert run(cancel()) == [False]


def test_closing_ends_a_server_that_ignores_eof_and_sigterm(propose, stub, monkeypatch):
    monkeypatch.setattr("gepa_codex.process._GRACE_SECONDS", 0.3)
    propose("ignores_eof")
    assert not any(map(is_alive, stub.pids()))


def test_a_close_that_is_cancelled_goes_on(run, proposing, stub, request_, eventually):

    async def close():
        async with proposing(**stub.config("ignores_eof")) as proposer:
            await proposer.propose(request_())
            closing = asyncio.create_task(proposer.close())
            await eventually((stub.directory / "eof").exists)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
        return [is_alive(pid) for pid in stub.pids()]

    assert run(close()) == [False]


def test_a_process_that_left_the_group_is_ended_with_its_parent(run, tmp_path, eventually):
    async def end():
        command = ("/bin/sh", "-c", "setsid sleep 300 & wait")
        child, _ = await process.spawn(command, {"PATH": "/usr/bin:/bin"}, tmp_path)
        await eventually(lambda: b"sleep" in names_below(child.pid))
        below = process.descendants(child.pid)
        await process.kill(child)
        await eventually(lambda: not any(map(is_alive, below)))
        return child.returncode

    assert run(end()) == -9


def names_below(pid: int) -> list[bytes]:
    paths = [Path(f"/proc/{child}/cmdline") for child in process.descendants(pid)]
    return [path.read_bytes().split(b"\0")[0] for path in paths if path.exists()]


def test_closing_twice_is_the_same_as_once_and_nothing_is_proposed_after(run, proposing, stub, request_):
    async def close():
        async with proposing(**stub.config("ok")) as proposer:
            await proposer.propose(request_())
            await proposer.close()
            await proposer.close()
            await proposer.propose(request_())

    with pytest.raises(ProposerError, match="the proposer is closed"):
        run(close())


def test_closing_before_anything_was_asked_is_fine(run, proposing, stub, context):
    async def close():
        async with proposing(**stub.config("ok")):
            pass

    run(close())
    assert not context.run_dir.exists()


def test_an_old_server_is_replaced_and_ended(run, proposing, stub, request_):
    async def three():
        async with proposing(**stub.config("ok", recycle_after_threads=2)) as proposer:
            for _ in range(3):
                await proposer.propose(request_())
            return [is_alive(pid) for pid in stub.pids()]

    assert run(three()) == [False, True]


def test_proposals_made_at_once_share_a_server(run, proposing, stub, request_):
    async def eight():
        async with proposing(**stub.config("ok")) as proposer:
            return await asyncio.gather(*(proposer.propose(request_()) for _ in range(8)))

    assert len(run(eight())) == 8
    assert len(stub.pids()) == 1


def test_the_server_gets_the_key_and_nothing_else_of_the_users_environment(propose, stub, canary):
    propose("ok")
    environ = stub.environ()
    assert environ["GEPA_CODEX_API_KEY"] == canary
    assert "OPENAI_API_KEY" not in environ
    assert "SECRET_OF_USER" not in environ
    assert environ["HOME"] == environ["CODEX_HOME"]


def test_variables_that_are_asked_for_are_passed_on(propose, stub):
    propose("ok", env_passthrough=("SECRET_OF_USER",))
    assert stub.environ()["SECRET_OF_USER"] == "user-secret"


def test_no_file_of_the_run_holds_the_key_and_the_home_goes_away(run, proposing, stub, request_, context):
    canary = context.environ["OPENAI_API_KEY"]

    async def look():
        async with proposing(**stub.config("ok", keep_transcripts=True)) as proposer:
            await proposer.propose(request_(task={"note": f"uses {canary}"}))
            (home,) = context.run_dir.glob("codex-home-*")
            return home.stat().st_mode & 0o777, read_all(context.run_dir)

    mode, texts = run(look())
    assert mode == 0o700
    assert "turn/start" in texts
    assert canary not in texts
    assert "uses [redacted]" in stub.asked("turn/start")[0]["input"][0]["text"]
    assert [path.name for path in context.run_dir.iterdir()] == ["codex-transcripts"]


def read_all(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


def test_a_key_in_the_answer_does_not_come_out(propose, canary):
    assert propose("leaks_key").rationale == "the key is [redacted]"


def test_the_home_of_a_run_that_died_is_removed(propose, context):
    dead = context.run_dir / "codex-home-999999999-x"
    dead.mkdir(parents=True)
    propose("ok")
    assert not dead.exists()


def test_a_missing_key_is_named_before_anything_starts(run, proposing, stub, request_):
    async def missing():
        async with proposing(**stub.config("ok", api_key_env="NOT_SET")) as proposer:
            await proposer.propose(request_())

    with pytest.raises(ProposerError, match="variable NOT_SET is not set or empty; export NOT_SET"):
        run(missing())
    assert stub.pids() == []


def test_an_empty_key_variable_sends_no_key(propose, stub):
    propose("ok", api_key_env="")
    assert "GEPA_CODEX_API_KEY" not in stub.environ()


def test_best_practices_are_read_from_a_file(propose, stub, tmp_path):
    (tmp_path / "advice.md").write_text("Prefer definitions.")
    propose("ok", best_practices_path="advice.md")
    assert "Prefer definitions." in stub.asked("turn/start")[0]["input"][0]["text"]


def test_a_missing_advice_file_is_named(propose):
    assert "best_practices_path names" in str(propose("ok", best_practices_path="nowhere.md"))


def test_a_run_directory_that_cannot_be_written_is_named(run, stub, request_, context):
    import attrs

    from gepa_codex.config import CodexProposerConfig
    from gepa_codex.plugin import gepa_make_proposer

    context.base_dir.joinpath("file").write_text("")
    broken: BuildContext = attrs.evolve(context, run_dir=context.base_dir / "file" / "run")
    proposer = gepa_make_proposer(CodexProposerConfig(**stub.config("ok")), broken)
    with pytest.raises(ProposerError, match="CODEX_HOME cannot be made in"):
        run(proposer.propose(request_()))


def test_this_process_has_no_app_servers_left(propose, app_servers):
    propose("ok")
    assert app_servers() == []


def test_a_preflight_starts_the_app_server_that_proposals_use(run, proposing, stub, request_):
    async def both() -> None:
        async with proposing(**stub.config("ok")) as proposer:
            assert isinstance(proposer, Preflight)
            await proposer.preflight()
            await proposer.propose(request_())

    run(both())
    assert len(stub.asked("initialize")) == 1


def test_a_preflight_says_what_is_missing(run, proposing, stub):
    async def look() -> None:
        async with proposing(codex_bin="/nowhere/codex") as proposer:
            await proposer.preflight()

    with pytest.raises(ProposerError, match="/nowhere/codex"):
        run(look())
