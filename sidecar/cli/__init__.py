"""Commands for people: clients of the process over stdio, which know the protocol and nothing else of it."""


def main(arguments: list[str]) -> int:
    """Run the command that `arguments` name first, and return its exit code."""
    if arguments[0] == "usage":
        from sidecar.cli import usage  # of several commands one is loaded

        return usage.main(arguments[1:])
    if arguments[0] == "models":
        from sidecar.cli import models

        return models.main(arguments[1:])
    if arguments[0] == "keys":
        from sidecar.cli import keys

        return keys.main(arguments[1:])
    if arguments[0] == "doctor":
        from sidecar.cli import doctor

        return doctor.main(arguments[1:])
    from sidecar.cli import chat

    return chat.main(arguments[1:])
