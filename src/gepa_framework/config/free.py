"""The tables whose keys are the user's own: ``[policy]`` and ``[seed_candidate]``."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from gepa_framework.config.reader import Reader
from gepa_framework.config.sections import PolicyTable
from gepa_framework.config.sections.policy import credentials
from gepa_framework.types import JSONObject
from gepa_framework.types.json import EMPTY


def policy_of(reader: Reader) -> JSONObject:
    """Read ``[policy]``: the keys that V1 knows are checked, the others go to the container as they are."""
    table = reader.data.get("policy", {})
    policy: JSONObject | None = reader.structure(("policy",), table, Mapping[str, object])
    if isinstance(table, dict):
        known = {key: value for key, value in table.items() if key in attrs.fields_dict(PolicyTable)}
        reader.structure(("policy",), known, PolicyTable)
    for path in credentials(table):
        hint = "name an environment variable of the container's process in a key that ends in _env"
        reader.report.add(("policy", *path), "must not hold a credential", hint)
    return EMPTY if policy is None else policy


def seed_candidate_of(reader: Reader) -> Mapping[str, str] | None:
    """Read ``[seed_candidate]``: component to text, byte for byte."""
    if "seed_candidate" not in reader.data:
        return None
    texts: Mapping[str, str] | None = reader.structure(
        ("seed_candidate",), reader.data["seed_candidate"], Mapping[str, str]
    )
    if texts is not None and not texts:
        hint = "name a component, or delete the table to start from the program's own"
        reader.report.add(("seed_candidate",), "names no component", hint)
    for component, text in (texts or {}).items():
        if not text:
            reader.report.add(("seed_candidate", component), "must not be empty")
    return texts
