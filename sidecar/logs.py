"""Logs to stderr through a bounded queue: a host that does not drain stderr loses lines, never liveness."""

import io
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Literal

import msgspec

from sidecar.redaction import redacted

MAX_LINES: Final = 1000
MAX_LINE_CHARS: Final = 8192
FLUSH_S: Final = 0.2

Format = Literal["json", "text"]


class LogQueue:
    """Lines on their way to stderr; the oldest are dropped when nobody reads them."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque(maxlen=MAX_LINES)
        self._wake = threading.Condition()
        self._writing = False
        self._thread: threading.Thread | None = None

    def put(self, line: str) -> None:
        """Queue a line; never blocks."""
        with self._wake:
            self._lines.append(line[:MAX_LINE_CHARS].encode("utf-8", "replace") + b"\n")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="stderr", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._writing = False
                self._wake.notify_all()
                self._wake.wait_for(lambda: self._lines)
                line = self._lines.popleft()
                self._writing = True
            try:
                os.write(self._descriptor, line)
            except OSError:
                return  # nobody will ever read it

    def flush(self) -> None:
        """Wait a moment for the queue to empty."""
        with self._wake:
            self._wake.wait_for(lambda: not self._lines and not self._writing, FLUSH_S)


class QueueHandler(logging.Handler):
    """Formats records, hides what is secret, and queues them."""

    def __init__(self, queue: LogQueue, format_: Format, secrets: Callable[[], Iterable[str]]) -> None:
        super().__init__()
        self._queue = queue
        self._format = format_
        self._secrets = secrets

    def emit(self, record: logging.LogRecord) -> None:
        self._queue.put(self._line(record, redacted(_told(record)[:MAX_LINE_CHARS], self._secrets())))

    def _line(self, record: logging.LogRecord, message: str) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        level = record.levelname.lower()
        if self._format == "json":
            return _json({"time": stamp, "level": level, "logger": record.name}, message.encode(errors="replace"))
        return f"{stamp} {level} {record.name}: {message}"


def _json(entry: dict[str, str], message: bytes) -> str:
    """Return the entry with as much of the message as fits a line."""
    for size in (MAX_LINE_CHARS // 2, MAX_LINE_CHARS // 8):  # a control character takes six
        line = msgspec.json.encode(entry | {"message": message[:size].decode(errors="ignore")}).decode()
        if len(line) <= MAX_LINE_CHARS:
            break
    return line


def _told(record: logging.LogRecord) -> str:
    """Return what a record says; one whose values do not fit its words is told by its words alone."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):
        message = str(record.msg)
    if record.exc_info:
        message += "\n" + logging.Formatter().formatException(record.exc_info)
    return message


class LogStream(io.TextIOBase):
    """Stands in for `sys.stdout` and `sys.stderr`, so that what is printed is logged instead."""

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.strip():
                self._log.warning("%s", line)
        return len(text)

    def writable(self) -> bool:
        return True


def configure(queue: LogQueue, level: str, format_: Format, secrets: Callable[[], Iterable[str]]) -> None:
    """Send all logging, and all that is printed, through `queue`."""
    root = logging.getLogger()
    root.handlers[:] = [QueueHandler(queue, format_, secrets)]
    root.setLevel(level.upper())
    for noisy in ("asyncio", "httpcore2"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    sys.stdout = LogStream("stdout")
    sys.stderr = LogStream("stderr")
