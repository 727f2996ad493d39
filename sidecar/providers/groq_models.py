"""What models take at Groq. https://console.groq.com/docs/reasoning"""

from typing import Final

from msgspec.structs import replace

from sidecar.dialects.traits import FileKind, ModelTraits

FILES: Final = frozenset[FileKind]({"image"})
OTHERS: Final = ModelTraits(files=FILES, structured_with_tools=False)
WITH_EFFORT: Final = replace(OTHERS, efforts=("low", "medium", "high"), files=frozenset[FileKind]())
# An effort of `none` is taken, no other has a name; thoughts come as words unless asked for apart.
ALOUD: Final = replace(OTHERS, efforts=("none",), thinks_aloud=True)

MODELS: Final = (
    ("gpt-oss", WITH_EFFORT),
    ("qwen3", ALOUD),
    ("qwen-3", ALOUD),
    ("qwq", ALOUD),
    ("deepseek-r1", ALOUD),
)
"""What is part of a model's name, and what follows from it; the first that fits counts."""


def traits_of(model: str) -> ModelTraits:
    """Return what a model takes."""
    name = model.lower()
    return next((traits for part, traits in MODELS if part in name), OTHERS)
