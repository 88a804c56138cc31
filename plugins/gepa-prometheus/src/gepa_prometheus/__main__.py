"""``python -m gepa_prometheus`` writes the alert rules that come with the package to standard output."""

from __future__ import annotations

import sys
from importlib import resources


def main() -> None:
    """Write them as they are."""
    sys.stdout.write(resources.files("gepa_prometheus").joinpath("alerts.yml").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
