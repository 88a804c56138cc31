from __future__ import annotations

from pathlib import Path

import attrs
import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from gepa_framework.config import GepaSection, RunConfig
from gepa_framework.config.sections import PipelineTable
from gepa_framework.errors import ConfigError, PluginError

V1 = (Path(__file__).parent / "data" / "banking77_seeds.toml").read_text(encoding="utf-8")
WORDS = sorted(
    {
        *(field.name for cls in (RunConfig, GepaSection, PipelineTable) for field in attrs.fields(cls)),
        *(
            "taskset",
            "use",
            "on_error",
            "backend",
            "transport",
            "mode",
            "namespace",
            "workers",
            "rollout",
            "name",
        ),
        *(
            "train_seeds",
            "heldout_seeds",
            "train_ids",
            "heldout_ids",
            "filters",
            "require",
            "block",
            "config",
        ),
        *("min", "max", "alpha", "enabled", "strategy", "rule", "margin", "zzz", "a b", "", "0"),
    }
)
TEXTS = st.sampled_from(
    [
        "",
        "x",
        "0-9",
        "9-0",
        "sync",
        "pareto",
        "codex_app_server",
        "sqlite",
        "broken",
        "nope",
        "off",
        "a>=1",
        "\n",
    ]
)
SCALARS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(-2, 2),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    TEXTS,
    st.text(max_size=5).filter(lambda text: text.isprintable()),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(
    st.sampled_from(WORDS),
    st.one_of(VALUES, st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=6)),
    max_size=8,
)


@pytest.fixture(scope="module")
def survives(parse):
    """Parse, and let nothing through but the two errors; every problem says what and where."""

    def survives(text, **kwargs):
        try:
            parse(text, whole=True, **kwargs)
        except ConfigError as error:
            return bool(error.problems) and all(each.message and each.file for each in error.problems)
        except PluginError as error:
            return bool(error.message)
        return True

    return survives


@settings(deadline=None)
@given(document=DOCUMENTS)
def test_no_document_raises_anything_else(survives, document):
    assert survives(tomlkit.dumps(document))


@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_no_text_raises_anything_else(survives, text):
    assert survives(text)


@settings(deadline=None)
@given(data=st.data())
def test_no_damage_to_a_good_file_raises_anything_else(survives, data):
    text = V1
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 30))
        junk = data.draw(
            st.sampled_from(["", "0", '"', "'", "[", "]", "=", "\n", ".", "{", "}", "#", "-", "nan", "\\"])
        )
        text = text[:start] + junk + text[start + length :]
    assert survives(text)


@settings(deadline=None)
@given(
    sets=st.lists(
        st.one_of(
            st.text(max_size=20),
            st.builds(
                lambda parts, value: ".".join(parts) + "=" + value,
                st.lists(
                    st.sampled_from([word for word in WORDS if word.isidentifier() or word == "0"]),
                    min_size=1,
                    max_size=4,
                ),
                st.one_of(TEXTS, st.sampled_from(["1", "[1]", "{a=1}", "[[1]]", "'", "2020-01-01", "nan"])),
            ),
        ),
        max_size=4,
    )
)
def test_no_override_raises_anything_else(survives, sets):
    assert survives(V1, sets=sets)
