"""Commands for people: clients of the process over stdio, which know the protocol and nothing else of it."""


def main(arguments: list[str]) -> int:
    """Run the command that `arguments` name first, and return its exit code."""
    from sidecar.cli import chat

    return chat.main(arguments[1:])
