from __future__ import annotations

import base64
import subprocess

import pytest

from gepa_framework import GepaRun
from gepa_framework.builtin.webhook_config import WebhookConfig
from gepa_framework.builtin.webhook_courier import FIRST_PAUSE, LONGEST_PAUSE, full_jitter
from gepa_framework.errors import ConfigError


def config(**keys):
    return WebhookConfig(**{"url": "https://example.org/hook", "secret_env": "HOOK_SECRET", **keys})


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://example.org:8443/a/b?c=d",
        "https://[2001:db8::1]/x",
        "http://127.0.0.1:9000/hook",
        "http://localhost/hook",
        "http://app.localhost:80/",
        "http://[::1]:9000/",
    ],
)
def test_an_address_is_https_or_on_this_machine(url):
    assert config(url=url).url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/hook", "must be https.*allow_http = true"),
        ("http://127.0.0.1.example.org/", "must be https"),
        ("http://10.0.0.7/", "must be https"),
        ("ftp://example.org/", "must look like"),
        ("example.org/hook", "must look like"),
        ("https://", "must look like"),
        ("https://example.org:port/", "must look like"),
        ("https://exa mple.org/", "must look like"),
        ("https://example.org/a b", "must look like"),
        ("https://example.org/\n", "must look like"),
        ("https://[::1/", "must look like"),
        ("https://me:hidden@example.org/", "headers_env"),
        ("https://example.org/#part", "fragment"),
    ],
)
def test_another_address_is_refused_with_words_that_do_not_repeat_it(url, why):
    with pytest.raises(ValueError, match=why) as caught:
        config(url=url)
    assert "hidden" not in str(caught.value)


def test_http_elsewhere_may_be_allowed():
    assert config(url="http://10.0.0.7/", allow_http=True).url == "http://10.0.0.7/"


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"events": ("candidate.acepted",)}, "no type of event: 'candidate.acepted'"),
        ({"events": ()}, "at least one"),
        ({"secret_env": "whsec_AAAA"}, None),
        ({"secret_env": "whsec_AA+A="}, "name of an environment variable"),
        ({"headers_env": {"webhook-id": "X"}}, "cannot set the header"),
        ({"headers_env": {"Content-Length": "X"}}, "cannot set the header"),
        ({"headers_env": {"a b": "X"}}, "cannot set the header"),
        ({"headers_env": {"Authorization": "Bearer abc"}}, "name of an environment variable"),
        ({"timeout_seconds": 0.0}, "timeout_seconds"),
        ({"timeout_seconds": float("inf")}, "finite"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_queue": 0}, "max_queue"),
        ({"close_seconds": -1.0}, "close_seconds"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(keys, why):
    if why is None:
        assert config(**keys) is not None
        return
    with pytest.raises(ValueError, match=why):
        config(**keys)


SHORT = base64.b64encode(bytes(23)).decode()
LONG = base64.b64encode(bytes(65)).decode()


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_secret_that_is_not_set_is_found_before_anything_is_spent(project, receiver, monkeypatch, value):
    if value is None:
        monkeypatch.delenv("HOOK_SECRET")
    else:
        monkeypatch.setenv("HOOK_SECRET", value)
    run = GepaRun.from_toml(project.write(), environ={})
    for act in (run.check, run.execute):
        with pytest.raises(ConfigError) as caught:
            act()
        (problem,) = caught.value.problems
        assert str(problem).startswith(f"{project.path}/gepa.toml:")
        assert "listeners.0.secret_env: the environment variable HOOK_SECRET is not set" in str(problem)
        assert "make one with: python -c" in str(problem)
    assert not project.run_dir.exists()
    assert receiver.heard == []


def test_the_cure_for_a_secret_that_is_not_set_makes_one_that_is_taken(project, monkeypatch):
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(ConfigError) as caught:
        GepaRun.from_toml(project.write(), environ={}).check()
    command = caught.value.problems[0].hint.removeprefix("make one with: ")
    made = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    monkeypatch.setenv("HOOK_SECRET", made.stdout)
    GepaRun.from_toml(project.write(), environ={}).check()


@pytest.mark.parametrize(
    "value", ["hunter2hunter2", f"whsec_{SHORT}", LONG, f"whsec_{SHORT}\u00e9", "whsec_!" + LONG]
)
def test_a_secret_that_is_none_is_refused_and_not_shown(project, monkeypatch, value):
    monkeypatch.setenv("HOOK_SECRET", value)
    with pytest.raises(
        ConfigError, match="HOOK_SECRET must hold whsec_ and base64 of 24 to 64 bytes"
    ) as caught:
        GepaRun.from_toml(project.write(), environ={}).check()
    assert value not in str(caught.value)


@pytest.mark.parametrize(("value", "why"), [(None, "HOOK_LOGIN is not set"), ("a\nb: c", "one line")])
def test_a_header_without_a_value_is_found_as_early(project, monkeypatch, value, why):
    monkeypatch.delenv("HOOK_LOGIN", raising=False)
    if value is not None:
        monkeypatch.setenv("HOOK_LOGIN", value)
    config = project.write()
    config.write_text(config.read_text() + 'headers_env = { Authorization = "HOOK_LOGIN" }\n')
    with pytest.raises(ConfigError, match=why):
        GepaRun.from_toml(config, environ={}).check()


def test_pauses_grow_to_a_bound_and_are_spread_over_all_of_it():
    for attempt, most in ((1, FIRST_PAUSE), (3, 4 * FIRST_PAUSE), (40, LONGEST_PAUSE)):
        drawn = [full_jitter(attempt) for _ in range(400)]
        assert 0 <= min(drawn) < most / 4
        assert most * 3 / 4 < max(drawn) <= most


def test_what_explains_a_configuration_shows_names_of_variables_and_no_secret(project, secret):
    project.write()
    command = [*project.command("explain-config", "--config", "gepa.toml")[:-2]]
    told = subprocess.run(
        command,
        cwd=project.path,
        env=project.environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "HOOK_SECRET" in told.stdout
    assert secret not in told.stdout + told.stderr
