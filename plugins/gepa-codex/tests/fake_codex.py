"""A stand-in for the codex executable: speaks the app-server's protocol, and misbehaves as told.

``fake_codex.py SCENARIO DIRECTORY WORDS...``: WORDS are codex' own. DIRECTORY receives ``log.jsonl`` (what
was asked), ``env.json`` (the environment) and one ``start-N`` for each app-server started.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

SCENARIO, DIRECTORY, WORDS = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
VERSION = "0.99.0" if SCENARIO == "old_version" else "0.163.0"
USAGE = {"inputTokens": 100, "cachedInputTokens": 40, "outputTokens": 20, "reasoningOutputTokens": 5}


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def notify(method: str, **params: Any) -> None:
    send({"method": method, "params": params})


def started() -> int:
    """Take the number of this app-server: 1 for the first."""
    number = len(list(DIRECTORY.glob("start-*"))) + 1
    # Whoever looks must not see the file before its text.
    unready = DIRECTORY / "unready"
    unready.write_text(str(os.getpid()))
    unready.rename(DIRECTORY / f"start-{number}")
    return number


def record(message: dict[str, Any]) -> None:
    with (DIRECTORY / "log.jsonl").open("a") as log:
        log.write(json.dumps(message) + "\n")


def answer(params: dict[str, Any], turns: int, number: int) -> str:
    names = params["outputSchema"]["properties"]["candidate"]["required"]
    better = {name: f"better {name}" for name in names}
    good = json.dumps({"rationale": "because", "candidate": better, "edits": []})
    edit = {"component": names[0], "search": "Answer", "replace": "Say"}
    edited = {"rationale": "because", "candidate": dict.fromkeys(names), "edits": [edit]}
    repaired = turns > 1
    texts = {
        "invalid_once": good if repaired else "certainly! here you are",
        "invalid_always": "certainly! here you are",
        "unknown_component": json.dumps({"rationale": "r", "candidate": {"other": "x"}, "edits": []}),
        "edits": json.dumps(edited),
        "fenced_once": good if repaired else f"```json\n{good}\n```",
        "truncated_once": good if repaired else good[:-9],
        "leaks_key": good.replace("because", "the key is " + os.environ.get("GEPA_CODEX_API_KEY", "")),
    }
    return texts.get(SCENARIO, good)


def turn(params: dict[str, Any], turns: int, number: int) -> None:
    thread = {"threadId": params["threadId"], "turnId": f"turn-{turns}"}
    if SCENARIO == "reroutes":
        notify(
            "model/rerouted", **thread, fromModel="m", toModel="safer-model", reason="highRiskCyberActivity"
        )
    notify("turn/started", **thread, turn={"id": f"turn-{turns}", "status": "inProgress"})
    if SCENARIO == "garbage":
        sys.stdout.write("this is no JSON\n[]\n42\n\n")
        sys.stdout.flush()
    if SCENARIO == "asks":
        ask_everything()
    if SCENARIO == "slow":
        for _ in range(8):
            time.sleep(0.2)
            notify("item/reasoning/summaryTextDelta", **thread, delta="hm")
    if SCENARIO in {"silent", "ignores_interrupt"}:
        return
    if SCENARIO == "dies_once" and number == 1:
        sys.stderr.write(f"panic with {os.environ.get('GEPA_CODEX_API_KEY')}\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if SCENARIO == "fails":
        key = os.environ.get("GEPA_CODEX_API_KEY")
        error = {"message": f"provider says {key}", "codexErrorInfo": "internalServerError"}
        usage = {name: value * turns for name, value in USAGE.items()}
        notify("thread/tokenUsage/updated", **thread, tokenUsage={"total": usage, "last": usage})
        notify("turn/completed", **thread, turn={"id": "t", "items": [], "status": "failed", "error": error})
        return
    text = answer(params, turns, number)
    notify("item/started", **thread, item={"type": "agentMessage", "id": "m", "text": ""})
    notify("item/agentMessage/delta", **thread, itemId="m", delta=text)
    if SCENARIO != "drops_message":
        commentary = {"type": "agentMessage", "id": "c", "text": "thinking aloud", "phase": "commentary"}
        final = {"type": "agentMessage", "id": "m", "text": text, "phase": "final_answer"}
        notify("item/completed", **thread, item=final)
        notify("item/completed", **thread, item=commentary)
    usage = {name: value * turns for name, value in USAGE.items()}
    notify("thread/tokenUsage/updated", **thread, tokenUsage={"total": usage, "last": USAGE})
    notify("turn/completed", **thread, turn={"id": "t", "items": [], "status": "completed", "error": None})


ASKED = (
    "item/commandExecution/requestApproval",
    "item/fileChange/requestApproval",
    "item/permissions/requestApproval",
    "item/tool/requestUserInput",
    "mcpServer/elicitation/request",
    "something/new",
)


def ask_everything() -> None:
    for number, method in enumerate(ASKED):
        send({"id": number, "method": method, "params": {"threadId": "x"}})
        record(json.loads(sys.stdin.readline()))


def serve() -> None:
    number = started()
    (DIRECTORY / "env.json").write_text(json.dumps(dict(os.environ)))
    if SCENARIO == "exits_early" or (SCENARIO == "exits_later" and number > 1):
        sys.stderr.write(f"bad config {os.environ.get('GEPA_CODEX_API_KEY')}\n")
        sys.exit(1)
    if SCENARIO == "hangs_at_start":
        sys.stdin.read()
    if SCENARIO == "ignores_eof":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threads: dict[str, int] = {}
    for line in sys.stdin:
        message = json.loads(line)
        record(message)
        handle(message, threads, number)
    (DIRECTORY / "eof").touch()
    while SCENARIO == "ignores_eof":
        time.sleep(60)


def handle(message: dict[str, Any], threads: dict[str, int], number: int) -> None:
    method, params = message.get("method"), message.get("params") or {}
    if "id" not in message or (SCENARIO == "unanswered" and method == "thread/start"):
        return
    if SCENARIO == "refuses" and method == "turn/start":
        send({"id": message["id"], "error": {"code": -32602, "message": "input too large"}})
        return
    result: dict[str, Any] = {}
    if method == "thread/start":
        name = f"thread-{number}-{len(threads)}"
        threads[name] = 0
        model = "other-model" if SCENARIO == "substitutes" else params["model"]
        told = {} if SCENARIO == "tells_no_model" else {"model": model}
        result = {"thread": {"id": name}, **told}
    if method == "turn/start":
        threads[params["threadId"]] += 1
        result = {"turn": {"id": f"turn-{threads[params['threadId']]}"}}
    if method == "turn/interrupt" and SCENARIO == "ignores_interrupt":
        return
    send({"id": message["id"], "result": result})
    if method == "turn/interrupt":
        ended = {"id": params["turnId"], "items": [], "status": "interrupted"}
        notify("turn/completed", threadId=params["threadId"], turn=ended)
    if method == "turn/start":
        turn(params, threads[params["threadId"]], number)


if __name__ == "__main__":
    if "--version" in WORDS:
        print("codex-cli", VERSION)
    elif "features" in WORDS:
        print("plugins   stable   true\nunified_exec stable true")
    elif "debug" in WORDS:
        print(json.dumps({"models": [{"slug": "gpt-known"}]}))
    else:
        serve()
