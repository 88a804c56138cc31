from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("gepa", deadline=None)
settings.register_profile("gepa-ci", parent=settings.get_profile("gepa"), derandomize=True)
settings.load_profile("gepa-ci" if os.environ.get("CI") else "gepa")
