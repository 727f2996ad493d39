"""A sidecar for as long as a command runs."""

import os
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from anyio.abc import TaskGroup

from sidecar.cli.client import Client
from sidecar.cli.screen import Screen

DONE: Final = 0
FAILED: Final = 1
INTERRUPTED: Final = 130

LAST_LINES: Final = 10
"""How much of the sidecar's log is shown when it fails."""

Work = Callable[[Client, TaskGroup], Awaitable[int]]
"""Talks to a sidecar, and returns the exit code."""


def run(work: Work, flags: list[str], screen: Screen) -> int:
    """Do the work with a sidecar that is started with `flags`, and return the exit code."""
    code = FAILED
    try:
        code = anyio.run(_run, work, flags, screen)
    except* KeyboardInterrupt:
        screen.end_answer()
        code = INTERRUPTED
    except* BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has no reader
    return code


async def _run(work: Work, flags: list[str], screen: Screen) -> int:
    """Start a sidecar, do the work with it, and see it off."""
    log, code = _Log(screen), FAILED
    async with anyio.create_task_group() as tasks:
        client = await Client.start(tasks, flags, log.add)
        try:
            code = await work(client, tasks)
        finally:
            log.end(await client.close())
    return code


class _Log:
    """The sidecar's stderr: shown as it comes to those who want it, and its last lines to everybody when it fails."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._last = deque[str](maxlen=LAST_LINES)

    def add(self, line: bytes) -> None:
        self._last.append(line.decode(errors="replace"))
        self._screen.detail(self._last[-1])

    def end(self, exit_code: int) -> None:
        self._screen.detail(f"sidecar exited with code {exit_code}")
        if exit_code:
            self._screen.alert("\n".join([f"The sidecar failed with exit code {exit_code}.", *self._last]))
