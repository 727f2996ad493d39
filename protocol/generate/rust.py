"""The types and methods of the Rust client."""

from protocol.generate.model import Protocol


def files(protocol: Protocol) -> dict[str, str]:
    """Return the generated files, by their paths in the repository."""
    del protocol
    return {}
