"""The process: claims its descriptors, then serves, or becomes a worker or a command-line client."""

import os
import sys
from typing import NoReturn

USAGE_ERROR = 2
COMMANDS = frozenset({"chat", "models", "usage", "keys", "doctor"})


def main() -> NoReturn:
    """Run what the command line asks for, and exit."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--worker"]:
        from sidecar.engines.llama import worker  # nothing else may be loaded before

        worker.main(arguments[1:])
    if arguments and arguments[0] in COMMANDS:
        from sidecar import cli  # a client needs no server

        sys.exit(cli.main(arguments))
    _serve(arguments)


def _serve(arguments: list[str]) -> NoReturn:
    if {"-h", "--help", "--version"}.intersection(arguments):
        from sidecar import settings  # prints, so the descriptors stay as they are

        settings.load(arguments)
    from sidecar import descriptors  # first of all, before anything can print

    try:
        claimed = descriptors.claim()
    except OSError:
        os.write(2, b"llm-sidecar: stdin, stdout and stderr must be open\n")
        os._exit(USAGE_ERROR)
    from sidecar import deferred

    deferred.install()
    from sidecar import app  # prints into stderr from here on

    app.main(arguments, claimed)


if __name__ == "__main__":
    main()
