"""``python -m gepa_framework``."""

from __future__ import annotations

from gepa_framework.cli.main import main

if __name__ == "__main__":
    main()
