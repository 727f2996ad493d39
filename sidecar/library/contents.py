"""What a model's files say of it, read from their headers; what was read is remembered while they stay the same."""

import os
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from sidecar.engines.llama import footprint, gguf
from sidecar.engines.llama.gguf import Header, ModelFile, Value
from sidecar.engines.llama.parts import parts_of
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import Capability, ModelInfo

TEMPLATE: Final = "tokenizer.chat_template"
FILE_TYPE: Final = "general.file_type"
MAX_TEMPLATE_BYTES: Final = 256 << 10
MAX_REMEMBERED: Final = 1024
NO_VECTORS: Final = frozenset({None, "rank"})
"""Ways of pooling that make no vector of a text: there are none, or they judge how well two texts go together."""

QUANTIZATIONS: Final = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4",
}
"""https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h, enum llama_ftype"""

State = tuple[tuple[int, int], ...]
"""The size and the time of the last change of each file."""


class Contents:
    """Describes models by the first of their files."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[State, ModelInfo]] = {}

    def describe(self, path: Path, id_: str, source: str) -> ModelInfo:
        """Return what is known of a model; where its files cannot be used, why."""
        state, known = _state(path), self._known.get(str(path))
        if known is None or known[0] != state:
            known = (state, _described(path))
            while len(self._known) >= MAX_REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[str(path)] = known
        return _named(known[1], id_, source)


def _named(info: ModelInfo, id_: str, source: str) -> ModelInfo:
    return replace(info, id=id_, source=source)


def _state(path: Path) -> State:
    return tuple(_stamp(path.with_name(name)) for name in parts_of(path.name))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (-1, 0)
    return (found.st_size, found.st_mtime_ns)


def _described(path: Path) -> ModelInfo:
    try:
        files = gguf.survey(str(path), _kept_bytes)
        model = gguf.described(str(path), files)
    except SidecarError as error:
        return ModelInfo(id="", provider="", size_bytes=size_of(path), problem=error.message)
    return _info(model, [header for _, header in files])


def size_of(path: Path) -> int:
    """Return how many bytes the files of a model take."""
    return sum(max(0, size) for size, _ in _state(path))


def _info(model: ModelFile, headers: list[Header]) -> ModelInfo:
    metadata = headers[0].metadata
    template = metadata.get(TEMPLATE)
    return ModelInfo(
        id="",
        provider="",
        name=model.name,
        context_length=model.context_length,
        input_modalities=["text"],
        capabilities=_capabilities(model, template),
        size_bytes=model.size_bytes,
        memory_bytes=footprint.usual(model),
        architecture=model.architecture,
        parameters=sum(header.elements for header in headers),
        quantization=_quantization(metadata.get(FILE_TYPE)),
        chat_template=isinstance(template, str),
    )


def _capabilities(model: ModelFile, template: Value | None) -> list[Capability]:
    """Return what a model can be asked for: the sidecar itself holds answers to tools and formats."""
    if model.pooling is not None:
        return [] if model.pooling in NO_VECTORS else ["embeddings"]
    words = template if isinstance(template, str) else ""
    found: list[Capability] = ["tools", "structured_output"]
    if "<think>" in words:
        found.append("reasoning")
    return found


def _quantization(number: Value | None) -> str | None:
    return QUANTIZATIONS.get(number) if isinstance(number, int) else None


def _kept_bytes(key: str) -> int:
    if key == TEMPLATE:
        return MAX_TEMPLATE_BYTES
    return 1 if key == FILE_TYPE else gguf.kept_bytes(key)


def is_file(path: Path) -> bool:
    """Tell whether there is a file, or a link to one."""
    return os.path.isfile(path)  # noqa: PTH113 - never raises
