"""Mode ``inline``: the evidence is in the prompt, and the model has no tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gepa_codex.prompt import Prompt, build_prompt
from gepa_framework.types import ProposalRequest


class Inline:
    """One prompt, one structured answer, nothing to run; needs no sandbox."""

    name = "inline"

    def thread_options(self) -> Mapping[str, Any]:
        """Leave the model without any environment to run commands in."""
        return {"environments": []}

    def prompt(self, request: ProposalRequest, *, advice: str, limit: int) -> Prompt:
        """Put everything into one text."""
        return build_prompt(request, advice=advice, limit=limit)
