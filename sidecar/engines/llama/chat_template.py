"""What a model's chat template takes, as far as its words tell."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from sidecar.engines.llama import gguf
from sidecar.schema.errors import SidecarError

TEMPLATE: Final = "tokenizer.chat_template"
MAX_TEMPLATE_BYTES: Final = 1 << 18
KNOWN_FILES: Final = 32

SWITCHES: Final = {
    "enable_thinking": re.compile(r"\benable_thinking\b"),
    "thinking": re.compile(r"\bif\s+(?:not\s+)?thinking\b"),
}
"""The variables of templates that turn thoughts on and off, and what shows that a template has them."""

THINKS: Final = re.compile(r"think", re.IGNORECASE)
NO_SYSTEM: Final = re.compile(
    r"system role (?:is )?not supported|\A(?!.*system).*raise_exception", re.IGNORECASE | re.DOTALL
)
"""What templates refuse instructions with: by saying so, or because they know of none and check who speaks."""


class ChatTemplate(Struct, frozen=True):
    """Whether the model may think, which variable decides about it, and whether it takes instructions of the system."""

    thinks: bool = False
    switch: str | None = None
    system: bool = True


PLAIN: Final = ChatTemplate()


def template_of(path: str) -> ChatTemplate:
    """Return what the template in a model file takes; where it cannot be read, loading the model will tell why."""
    try:
        found = Path(path).stat()
        return _of_file(path, found.st_size, found.st_mtime_ns)
    except (OSError, SidecarError):
        return PLAIN


@lru_cache(maxsize=KNOWN_FILES)
def _of_file(path: str, _size: int, _changed_ns: int) -> ChatTemplate:
    _, header = gguf.read(path, lambda key: MAX_TEMPLATE_BYTES if key == TEMPLATE else 0)
    template = header.metadata.get(TEMPLATE)
    return understood(template) if isinstance(template, str) else PLAIN


def understood(template: str) -> ChatTemplate:
    """Return what a template takes."""
    switch = next((name for name, sign in SWITCHES.items() if sign.search(template)), None)
    return ChatTemplate(THINKS.search(template) is not None, switch, NO_SYSTEM.search(template) is None)
