from __future__ import annotations

import logging

import pytest

from gepa_framework.cli.logs import show_warnings


@pytest.fixture
def logger():
    root = logging.getLogger()
    handlers = root.handlers[:]
    yield logging.getLogger("gepa_framework.test")
    root.handlers[:] = handlers


def complain(logger: logging.Logger) -> None:
    def fail() -> None:
        raise ZeroDivisionError("inside")

    try:
        fail()
    except ZeroDivisionError:
        logger.warning("it %s\x1b", "squeaks", exc_info=True)


def test_a_warning_is_one_line_of_talk(logger, capsys) -> None:
    show_warnings(verbose=False)
    complain(logger)
    logger.info("nobody wants to know")
    assert capsys.readouterr() == ("", "warning: it squeaks\ufffd\n")


def test_its_traceback_is_shown_when_it_is_asked_for(logger, capsys) -> None:
    show_warnings(verbose=True)
    complain(logger)
    assert "ZeroDivisionError: inside" in capsys.readouterr().err


def test_its_traceback_holds_no_secret(logger, capsys, monkeypatch) -> None:
    monkeypatch.setenv("GEPA_TEST_API_KEY", "inside")
    show_warnings(verbose=True)
    complain(logger)
    said = capsys.readouterr().err
    assert "ZeroDivisionError: " in said
    assert "ZeroDivisionError: inside" not in said


def test_asking_twice_does_not_tell_twice(logger, capsys) -> None:
    show_warnings(verbose=False)
    show_warnings(verbose=False)
    logger.error("once")
    assert capsys.readouterr().err == "error: once\n"
