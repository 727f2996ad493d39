"""`llm-sidecar chat`: asks a model, and shows the answer while it arrives."""

import sys

from msgspec.structs import replace

from sidecar.cli import demo
from sidecar.cli.conversation import Conversation
from sidecar.cli.options import Options, parse
from sidecar.cli.screen import NoteLevel, open_screen
from sidecar.cli.session import FAILED, run


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
    return run(lambda client, tasks: Conversation(client, screen, options, tasks).hold(), _flags(options), screen)


def _note_level(options: Options) -> NoteLevel:
    if options.demo or options.verbose:
        return "full"
    return "brief" if sys.stderr.isatty() else "none"


def _flags(options: Options) -> list[str]:
    """Return how to start the sidecar: keys may come from the environment, as with any command-line tool."""
    scripted = ["--scripted"] if options.config["provider"] == "scripted" else []
    return ["--key-env", *(["--log-level=info"] if options.verbose else []), *scripted]
