"""The legs of a run: what its cache was asked from the first start to the last resume."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.app import files
from gepa_framework.types import JSONObject, JSONValue

_ACTIONS = ("hit", "miss", "write")


@attrs.define
class CacheLegs:
    """Accesses of the legs before this one, and this one's beside them.

    The journal does not know who answered, so each leg leaves its counts in the profile. One that was killed
    could not; how many did is part of the profile.

    Attributes:
        path: The profile.
        legs: Legs so far.
        uncounted: Those whose accesses are not in the sums.
        counts: Accesses by boundary and action.
    """

    path: Path
    legs: int = 0
    uncounted: int = 0
    counts: Counter[tuple[str, str]] = attrs.field(factory=Counter)

    @classmethod
    def read(cls, path: Path, *, resumed: bool) -> CacheLegs:
        """Read what earlier legs left; what cannot be read was not counted."""
        earlier = cls(path)
        if not resumed:
            return earlier
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            for boundary, actions in found["boundaries"].items():
                for action, count in actions.items():
                    earlier.counts[boundary, action] += int(count)
            earlier.legs, earlier.uncounted = int(found["legs"]), int(found["uncounted_legs"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(path, legs=1, uncounted=1)
        return earlier

    def begin(self, profile: Mapping[str, Any]) -> None:
        """Begin a leg, and leave word of it in case that it is killed.

        Args:
            profile: Of a cache that was not asked anything yet.
        """
        self.legs += 1
        files.write_json(self.path, self._profile(profile, self.uncounted + 1))

    def whole(self, profile: Mapping[str, Any]) -> JSONValue:
        """Give the profile of all legs together.

        Args:
            profile: Of the leg that ends now.
        """
        return self._profile(profile, self.uncounted)

    def _profile(self, profile: Mapping[str, Any], uncounted: int) -> JSONObject:
        counts = self.counts.copy()
        for boundary, actions in profile["boundaries"].items():
            counts.update({(boundary, action): count for action, count in actions.items()})
        by_boundary: dict[str, dict[str, int]] = {}
        for (boundary, action), count in sorted(counts.items()):
            by_boundary.setdefault(boundary, {})[action] = count
        totals = {name: sum(actions.get(name, 0) for actions in by_boundary.values()) for name in _ACTIONS}
        return {
            **profile,
            "legs": self.legs,
            "uncounted_legs": uncounted,
            "totals": totals,
            "boundaries": by_boundary,
        }
