"""Ctrl-C while the event loop runs."""

import asyncio
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any


@contextmanager
def on_interrupt(react: Callable[[], None]) -> Generator[None]:
    """Call `react` on the running loop for every Ctrl-C inside the block."""
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        with handled_by(lambda: loop.call_soon_threadsafe(react)):
            yield
        return
    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, react)  # wakes the loop, as a plain handler might not
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


@contextmanager
def handled_by(handler: Callable[[], Any]) -> Generator[None]:
    """Call `handler` at once for every Ctrl-C inside the block."""
    before = signal.signal(signal.SIGINT, lambda _number, _frame: handler())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
