from __future__ import annotations

import pytest

from gepa_framework.net import Redactor, secrets_of
from gepa_framework.net.redact import is_secret_name


def test_known_secrets_are_masked_in_every_spelling():
    redact = Redactor(['pass"word/1'])
    assert redact('plain pass"word/1') == "plain [redacted]"
    assert redact(r'{"a": "pass\"word/1"}') == '{"a": "[redacted]"}'
    assert redact("?k=pass%22word%2F1&b") == "?k=[redacted]&b"


def test_a_secret_that_begins_with_another_one_leaves_no_tail():
    assert Redactor(["secret", "secret-longer"])("secret-longer") == "[redacted]"


@pytest.mark.parametrize(
    "text",
    ["sk-abcdefghijkl", "sk-proj-abc_DEF-123456", "Authorization: Bearer abc.def-ghi", "basic dXNlcjpwYXNz"],
)
def test_what_looks_like_a_credential_is_masked(text):
    assert "[redacted]" in Redactor()(text)


@pytest.mark.parametrize("text", ["the bearer of news", "task-1234567890", "sky-high", "max_tokens=100", ""])
def test_ordinary_words_stay(text):
    assert Redactor(["a", ""])(text) == text


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("OPENAI_API_KEY", True),
        ("X-Api-Key", True),
        ("Authorization", True),
        ("GITHUB_TOKEN", True),
        ("client_secret", True),
        ("db-password", True),
        ("max_tokens", False),
        ("api_key_env", False),
        ("KEYBOARD", False),
        ("PATH", False),
    ],
)
def test_a_name_tells_whether_its_value_is_secret(name, secret):
    assert is_secret_name(name) is secret
    assert secrets_of({name: "value"}) == (("value",) if secret else ())
