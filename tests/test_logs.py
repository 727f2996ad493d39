"""What is logged: one line each, without secrets, in both formats."""

import json
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar import logs
from sidecar.logs import LogQueue, LogStream, QueueHandler

KEY = "sk-canary-0123456789abcdef"


class Logger(logging.Logger):
    """One that nobody else listens to."""


class Log:
    """A logger of its own, whose lines are read from a pipe."""

    def __init__(self, format_: logs.Format) -> None:
        self._reading, self._writing = os.pipe()
        self._queue = LogQueue(self._writing)
        self.logger = Logger("sidecar.test")
        self.logger.addHandler(QueueHandler(self._queue, format_, lambda: [KEY]))

    def told(self) -> str:
        self._queue.flush()
        return os.read(self._reading, 1 << 20).decode()

    def close(self) -> None:
        os.close(self._reading)
        os.close(self._writing)


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    made = Log(request.param)
    yield made
    made.close()


def fail(key: str) -> None:
    raise ValueError(f"no such key: {key}")


def test_a_secret_in_a_message_is_hidden(log: Log) -> None:
    log.logger.error("the key %s is refused, %r", KEY, {"authorization": f"Bearer {KEY}"})
    told = log.told()
    assert "the key *** is refused" in told
    assert KEY not in told


def test_a_secret_in_a_traceback_and_in_its_causes_is_hidden(log: Log) -> None:
    try:
        try:
            fail(KEY)
        except ValueError as error:
            raise RuntimeError(json.dumps({"key": KEY})) from error
    except RuntimeError:
        log.logger.exception("it failed")
    told = log.told()
    assert told.count("***") == 2
    assert "ValueError: no such key: ***" in told
    assert KEY not in told


def test_a_message_whose_values_do_not_fit_is_told_by_its_words(log: Log) -> None:
    values: tuple[Any, ...] = (KEY, KEY)
    log.logger.error("the number is %d", *values)
    told = log.told()
    assert "the number is %d" in told
    assert KEY not in told


@pytest.mark.parametrize("start", range(logs.MAX_LINE_CHARS - 60, logs.MAX_LINE_CHARS, 7))
def test_a_secret_that_a_bound_cuts_is_hidden(log: Log, start: int) -> None:
    log.logger.error("%s", "." * start + KEY + "." * 100)
    assert KEY[:12] not in log.told()


@pytest.mark.parametrize("filling", ["x", "\x01", '"', "\u00e9", "\U0001f600"])
def test_a_line_of_json_can_be_read_whatever_it_says(filling: str) -> None:
    log = Log("json")
    log.logger.error("first\nsecond \u2028 \ud800 %s", filling * 100_000)
    line = log.told()
    assert line.count("\n") == 1
    assert json.loads(line)["message"].startswith("first\nsecond")
    log.close()


def test_what_is_printed_is_logged_line_by_line(caplog: pytest.LogCaptureFixture) -> None:
    print("one\ntwo", file=LogStream("stdout"))
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("stdout", "one"), ("stdout", "two")]
