"""The small parts: redaction, transcripts, token counts, the plugin's constant, refusals."""

from __future__ import annotations

import json

import pluggy

from gepa_codex import plugin
from gepa_codex.redaction import Redactor
from gepa_codex.transcript import FileTranscript
from gepa_codex.usage import TokenMeter
from gepa_framework.hookspecs import PROJECT, factories
from gepa_framework.types import Capability, Kind, Proposer


def test_known_secrets_and_their_shapes_are_taken_out():
    redact = Redactor(["hunter2hunter2", "", "ab"])
    text = "hunter2hunter2 sk-proj-abc***xyz Authorization: Bearer abcdef.ghi http://me:pw@host ab"
    assert redact(text) == "[redacted] [redacted] Authorization: [redacted] http://[redacted]@host ab"


def test_the_model_is_shown_everything_but_known_secrets():
    assert Redactor(["hunter2hunter2"]).exact("hunter2hunter2 sk-example") == "[redacted] sk-example"


def test_a_secret_is_found_as_json_spells_it():
    redact = Redactor(['quo"te\\d'])
    assert redact(json.dumps({"k": 'quo"te\\d'})) == '{"k": "[redacted]"}'


def test_the_longer_of_two_secrets_goes_first():
    assert Redactor(["secret", "secret-and-more"])("secret-and-more") == "[redacted]"


def test_the_runs_own_redaction_is_applied_too():
    assert Redactor([], lambda text: text.upper())("abc") == "ABC"


def test_a_transcript_leaves_out_deltas_and_secrets(tmp_path):
    transcript = FileTranscript(tmp_path, "../x/1", Redactor(["hunter2"]), print)
    transcript.write("received", "item/agentMessage/delta", {"delta": "a"})
    transcript.write("received", "item/completed", {"text": "hunter2"})
    (path,) = (tmp_path / "codex-transcripts").iterdir()
    (line,) = path.read_text().splitlines()
    assert json.loads(line) == {
        "direction": "received",
        "method": "item/completed",
        "params": {"text": "[redacted]"},
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_transcript_stops_growing_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("gepa_codex.transcript.SIZE_LIMIT", 300)
    transcript = FileTranscript(tmp_path, "p", str, print)
    for _ in range(10):
        transcript.write("received", "item/completed", {"text": "x" * 60})
    lines = (tmp_path / "codex-transcripts" / "p.jsonl").read_text().splitlines()
    assert len(lines) < 5
    assert json.loads(lines[-1])["method"] == "full"


def test_a_transcript_that_cannot_be_written_is_given_up_with_a_word(tmp_path):
    (tmp_path / "codex-transcripts").write_text("in the way")
    said: list[str] = []
    transcript = FileTranscript(tmp_path, "p", str, said.append)
    for _ in range(2):
        transcript.write("received", "item/completed", {})
    assert len(said) == 1
    assert "ends here" in said[0]


def totals(**values: int) -> dict[str, int]:
    return {"inputTokens": 0, "cachedInputTokens": 0, "outputTokens": 0, "reasoningOutputTokens": 0, **values}


def test_totals_of_a_conversation_are_not_added_up_twice():
    meter = TokenMeter()
    meter.update("t1", totals(inputTokens=100, outputTokens=10))
    meter.update("t1", totals(inputTokens=250, outputTokens=30))
    meter.update("t2", totals(inputTokens=5, outputTokens=1))
    usage = meter.usage("m")
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (255, 31, 286)
    assert usage.cost_usd is None


def test_nothing_reported_is_unknown_and_not_zero():
    meter = TokenMeter()
    meter.update("t1", totals(totalTokens=190_000))
    assert meter.usage("m").prompt_tokens is None
    assert meter.details()["usage_incomplete"] is True


def test_the_plugin_is_what_the_framework_asks_for(context):
    info = plugin.plugin_info
    assert (info.kind, info.name, info.api) == (Kind.PROPOSER, "codex_app_server", ">=1.0,<2")
    assert info.capabilities == {Capability.CONCURRENT}
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(factories)
    manager.register(plugin)
    manager.check_pending()
    made = manager.hook.gepa_make_proposer(config=info.config(), context=context)
    assert isinstance(made, Proposer)
    assert not context.run_dir.exists()
