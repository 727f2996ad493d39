"""`llm-sidecar chat`: asks a model, and shows the answer while it arrives."""

import os
import sys
from collections import deque
from typing import Final

import anyio
from msgspec.structs import replace

from sidecar.cli import demo
from sidecar.cli.client import Client
from sidecar.cli.conversation import FAILED, INTERRUPTED, Conversation
from sidecar.cli.options import Options, parse
from sidecar.cli.screen import NoteLevel, Screen, open_screen

LAST_LINES: Final = 10
"""How much of the sidecar's log is shown when it fails."""


def main(arguments: list[str]) -> int:
    """Hold the conversation that the command line asks for, and return the exit code."""
    options = parse(arguments)
    screen = open_screen(_note_level(options))
    if options.demo:
        model = demo.model_file()
        if model is None:
            screen.alert(demo.MISSING)
            return FAILED
        options = demo.options(options, model)
    elif options.prompt is None and not sys.stdin.isatty():
        options = replace(options, prompt=sys.stdin.read())
    return _outcome(options, screen)


def _note_level(options: Options) -> NoteLevel:
    if options.demo or options.verbose:
        return "full"
    return "brief" if sys.stderr.isatty() else "none"


def _outcome(options: Options, screen: Screen) -> int:
    code = FAILED
    try:
        code = anyio.run(_run, options, screen)
    except* KeyboardInterrupt:
        screen.end_answer()
        code = INTERRUPTED
    except* BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has no reader
    return code


async def _run(options: Options, screen: Screen) -> int:
    """Start a sidecar, hold the conversation with it, and see it off."""
    log, code = _Log(screen), FAILED
    async with anyio.create_task_group() as tasks:
        client = await Client.start(tasks, _flags(options), log.add)
        try:
            code = await Conversation(client, screen, options, tasks).hold()
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


def _flags(options: Options) -> list[str]:
    """Return how to start the sidecar: keys may come from the environment, as with any command-line tool."""
    scripted = ["--scripted"] if options.config["provider"] == "scripted" else []
    return ["--key-env", *(["--log-level=info"] if options.verbose else []), *scripted]
