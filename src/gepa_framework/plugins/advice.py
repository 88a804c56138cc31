"""What to do about a name that leads nowhere."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from packaging.utils import canonicalize_name

from gepa_framework.plugins.found import Found
from gepa_framework.types import Kind

#: Plugins that are published, and the distribution to install for them.
KNOWN: Mapping[tuple[Kind, str], str] = MappingProxyType(
    {
        (Kind.PROPOSER, "codex_app_server"): "gepa-codex",
        (Kind.PROPOSER, "lexical_reflector"): "gepa-cookbook-banking77",
        (Kind.TRANSPORT, "synth_containers"): "gepa-synth-containers",
    }
)


def cure(kind: Kind, name: str, offered: Sequence[Found], problems: Sequence[str]) -> str:
    """Give the hint for a plugin that no distribution offers.

    Args:
        kind: What was asked for.
        name: The name that was asked for, without a distribution.
        offered: The plugins of that kind that could be selected instead.
        problems: What was wrong with the metadata of installed distributions.
    """
    return "; ".join([_first_cure(kind, name, offered), *problems])


def _first_cure(kind: Kind, name: str, offered: Sequence[Found]) -> str:
    published: dict[str, tuple[str, str]] = {
        canonicalize_name(known): (known, dist) for (of, known), dist in KNOWN.items() if of is kind
    }
    installed: dict[str, str] = {found.key: found.name for found in offered}
    key: str = canonicalize_name(name)
    if key in published:
        return f"it is in {published[key][1]}: pip install {published[key][1]}"
    near = difflib.get_close_matches(key, [*installed, *published], n=1)
    if near and near[0] in installed:
        return f"did you mean '{installed[near[0]]}'?"
    if near:
        known, dist = published[near[0]]
        return f"did you mean '{known}'? It is in {dist}: pip install {dist}"
    if installed:
        return f"installed: {', '.join(installed.values())}"
    return f"no {kind} is installed"
