"""What holds for every plugin of a kind, as pytest classes: subclass one, and say how yours is built.

They need pytest, which the framework itself does not.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(f"{__name__}.cache")
