"""What a preflight looks at, and the error that names all that is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from gepa_framework.errors import PreflightError


@attrs.frozen
class Check:
    """One thing that was looked at.

    Attributes:
        name: What, such as ``tool git``.
        ok: Whether it is as it must be.
        detail: What was found.
        cure: What to do about it; empty where nothing has to be done.
    """

    name: str
    ok: bool
    detail: str
    cure: str = ""

    def __str__(self) -> str:
        """Give it on one line."""
        return f"{self.name}: {self.detail}" + (f"; {self.cure}" if self.cure else "")


def passed(name: str, detail: str) -> Check:
    """Give a check that is as it must be."""
    return Check(name, ok=True, detail=detail)


def failed(name: str, detail: str, cure: str = "") -> Check:
    """Give a check that is not."""
    return Check(name, ok=False, detail=detail, cure=cure)


def refuse_failed(scenario: str, checks: Sequence[Check]) -> None:
    """Raise the one error that names every check that failed.

    Raises:
        PreflightError: At least one did.
    """
    wrong = [check for check in checks if not check.ok]
    if not wrong:
        return
    head = f"the preflight of scenario '{scenario}' failed, and nothing was spent"
    if len(wrong) == 1:
        raise PreflightError(f"{head}: {wrong[0].name}: {wrong[0].detail}", hint=wrong[0].cure)
    raise PreflightError("\n  ".join([f"{head}:", *map(str, wrong)]), hint="mend all of these")
