"""Dialects by name, each imported when it is first asked for; imports are written out so that packagers find them."""

from collections.abc import Callable
from typing import Final

from sidecar.dialects.contract import Dialect


def dialect(name: str) -> Dialect:
    """Return the dialect of this name."""
    return LOADERS[name]()


def _openai_chat() -> Dialect:
    from sidecar.dialects.openai_chat import DIALECT

    return DIALECT


def _openai_responses() -> Dialect:
    from sidecar.dialects.openai_responses import DIALECT

    return DIALECT


def _anthropic_messages() -> Dialect:
    from sidecar.dialects.anthropic_messages import DIALECT

    return DIALECT


def _gemini_generate() -> Dialect:
    from sidecar.dialects.gemini_generate import DIALECT

    return DIALECT


def _ollama_chat() -> Dialect:
    from sidecar.dialects.ollama_chat import DIALECT

    return DIALECT


LOADERS: Final[dict[str, Callable[[], Dialect]]] = {
    "openai_chat": _openai_chat,
    "openai_responses": _openai_responses,
    "anthropic_messages": _anthropic_messages,
    "gemini_generate": _gemini_generate,
    "ollama_chat": _ollama_chat,
}
