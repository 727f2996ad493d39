"""The types and methods of the TypeScript client."""

from protocol.generate.model import Protocol


def files(protocol: Protocol) -> dict[str, str]:
    """Return the generated files, by their paths in the repository."""
    del protocol
    return {}
