from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from gepa_cookbook_banking77 import proposer as module
from gepa_cookbook_banking77.cards import parse_cards
from gepa_cookbook_banking77.proposer import (
    LexicalReflector,
    LexicalReflectorConfig,
    gepa_make_proposer,
    plugin_info,
)
from gepa_framework.errors import ProposerError
from gepa_framework.hookspecs import PROJECT
from gepa_framework.types import FREE, BuildContext, EvidenceFrame, Kind, Proposal, Proposer

TEXT = "- lost_card: lost card\n- forgotten_pin: forgotten pin"


def propose(request: Any, proposer: LexicalReflector | None = None) -> Proposal:
    return asyncio.run((proposer or LexicalReflector()).propose(request))


@pytest.fixture
def missed(frame_of: Callable[..., EvidenceFrame]) -> list[EvidenceFrame]:
    return [
        frame_of("somebody stole my purse on the train", "forgotten_pin", "lost_card", "train:0"),
        frame_of("which four digits are mine", None, "forgotten_pin", "train:1"),
        frame_of("I lost my card", "lost_card", "lost_card", "train:2"),
    ]


def test_missed_queries_are_learnt(request_for: Callable[..., Any], missed: list[EvidenceFrame]) -> None:
    proposal = propose(request_for(TEXT, missed))
    assert list(proposal.components) == ["intent_cards"]
    assert parse_cards(proposal.components["intent_cards"]) != parse_cards(TEXT)
    assert proposal.rationale.startswith("2 of 3 queries were missed: ")
    assert proposal.metadata["intents"] == ["forgotten_pin", "lost_card"]


def test_a_proposal_is_free_and_of_no_model(
    request_for: Callable[..., Any], missed: list[EvidenceFrame]
) -> None:
    proposal = propose(request_for(TEXT, missed))
    assert proposal.usage == FREE
    assert proposal.model is None


def test_it_declines_when_nothing_was_missed(
    request_for: Callable[..., Any], missed: list[EvidenceFrame]
) -> None:
    proposal = propose(request_for(TEXT, missed[2:]))
    assert dict(proposal.components) == {}
    assert (proposal.rationale, proposal.usage) == ("nothing was missed", FREE)


def test_equal_requests_get_equal_proposals(
    request_for: Callable[..., Any], missed: list[EvidenceFrame]
) -> None:
    assert propose(request_for(TEXT, missed, seed=5)) == propose(request_for(TEXT, missed, seed=5))


def test_a_refused_attempt_is_not_proposed_again(
    request_for: Callable[..., Any], missed: list[EvidenceFrame]
) -> None:
    refused: list[str] = []
    for _ in range(3):
        text = propose(request_for(TEXT, missed, refused=refused)).components["intent_cards"]
        assert text not in refused
        refused.append(text)


def test_it_declines_when_every_edit_was_refused(
    request_for: Callable[..., Any], missed: list[EvidenceFrame]
) -> None:
    one_way = LexicalReflector(LexicalReflectorConfig(noise=0.0, passes=1, phrases_per_miss=40).limits())
    texts = {
        propose(request_for(TEXT, missed[:1], seed=seed), one_way).components["intent_cards"]
        for seed in range(20)
    }
    proposal = propose(request_for(TEXT, missed[:1], refused=tuple(texts)), one_way)
    assert dict(proposal.components) == {}
    assert proposal.rationale == "every edit found was refused before"


def test_evidence_without_queries_is_an_error_with_a_cure(request_for: Callable[..., Any]) -> None:
    frame = EvidenceFrame(row_id="r", inputs={"question": "2+2?"}, reward=0.0)
    with pytest.raises(ProposerError, match=r"none of the 1 evidence frames.*`query` and `expected`"):
        propose(request_for(TEXT, [frame]))


def test_components_without_cards_are_an_error(
    request_for: Callable[..., Any], missed: list[EvidenceFrame]
) -> None:
    with pytest.raises(ProposerError, match="none of the components one, two holds intent cards"):
        propose(request_for(TEXT, missed, components=("one", "two")))


def test_a_lone_component_without_cards_gets_its_first(
    request_for: Callable[..., Any], missed: list[EvidenceFrame]
) -> None:
    text = propose(request_for("Sort them.", missed)).components["intent_cards"]
    assert text.startswith("Sort them.\n- ")
    assert set(parse_cards(text)) == {"lost_card", "forgotten_pin"}


def test_the_module_is_a_plugin(tmp_path: Path) -> None:
    assert (plugin_info.kind, plugin_info.name) == (Kind.PROPOSER, "lexical_reflector")
    assert hasattr(module.gepa_make_proposer, f"{PROJECT}_impl")
    context = BuildContext(run_id="r", run_dir=tmp_path, base_dir=tmp_path)
    built = gepa_make_proposer(LexicalReflectorConfig(passes=2), context)
    assert isinstance(built, Proposer)
    assert built.limits.passes == 2
    asyncio.run(built.close())


def test_every_key_has_help_and_the_limits_own_default() -> None:
    assert all(field.metadata.get("help") for field in attrs.fields(LexicalReflectorConfig))
    assert LexicalReflectorConfig().limits() == LexicalReflector().limits


@pytest.mark.parametrize(
    "wrong", [{"passes": 0}, {"phrases_per_card": 0}, {"margin": -0.1}, {"noise": -1.0}, {"max_edits": 0}]
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LexicalReflectorConfig(**wrong)


def test_the_proposer_cannot_reach_the_data() -> None:
    script = (
        "import sys, gepa_cookbook_banking77.proposer; "
        "print([name for name in sys.modules if name.split('.')[0] in ('synth_containers', 'csv') "
        "or name.startswith('gepa_cookbook_banking77.') and name.rsplit('.')[-1] in ('data', 'tasks')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
