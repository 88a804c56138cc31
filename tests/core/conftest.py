from __future__ import annotations

from hypothesis import settings
from tests.reference.cases import THOROUGH

settings.register_profile("thorough", deadline=None, max_examples=THOROUGH)
