"""A keychain for a sidecar in a process of its own, and what servers have seen of a key."""

import base64
import json
from pathlib import Path
from typing import Final

from host import ROOT
from upstream import Request, Server

MEMORY_KEYCHAIN: Final = {
    "PYTHONPATH": f"{ROOT}:{Path(__file__).parent / 'process_keychain'}",
    "PYTHON_KEYRING_BACKEND": "memory_keychain.Keyring",
}
"""The environment of a sidecar that forgets its keychain when it ends."""


def received(server: Server) -> str:
    """Return all that a server was sent."""
    return "\n".join(map(whole, server.requests))


def whole(request: Request) -> str:
    """Return a request, its method, path, headers and body."""
    return json.dumps([request.method, request.path, request.headers, request.body.decode("latin-1")])


def forms(key: str) -> list[str]:
    """Return a key as it is, in base64 and in hex."""
    data = key.encode()
    return [key, base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode(), data.hex()]


def has_seen(server: Server, key: str) -> bool:
    """Tell whether a key was in anything that a server was sent."""
    return any(form in received(server) for form in forms(key))
