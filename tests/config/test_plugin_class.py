from __future__ import annotations

import attrs
import pytest

from gepa_framework.config import check_config_class
from gepa_framework.errors import PluginBrokenError


def home():
    raise KeyError("HOME")


@attrs.frozen
class Good:
    name: str = "a"
    both: str = attrs.field(default=attrs.Factory(lambda self: self.name * 2, takes_self=True))


@attrs.frozen
class Lost:
    name: Nowhere = "a"  # noqa: F821


@attrs.frozen
class Homeless:
    home: str = attrs.field(factory=home)


def test_a_class_that_can_be_used_is_let_through():
    check_config_class(Good, "the stopper 'x'")


@pytest.mark.parametrize(
    ("cls", "said", "cure"),
    [
        (dict, "dict of the stopper 'x' is not an attrs class", "@attrs.frozen"),
        (Lost, "has an annotation that cannot be evaluated: name 'Nowhere' is not", "outside TYPE_CHECKING"),
        (Homeless, "cannot make its default of 'home': KeyError: 'HOME'", "a plain value"),
    ],
)
def test_a_class_that_cannot_be_used_is_refused(cls, said, cure):
    with pytest.raises(PluginBrokenError) as caught:
        check_config_class(cls, "the stopper 'x'")
    assert said in caught.value.message
    assert cure in caught.value.hint
