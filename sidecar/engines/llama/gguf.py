"""What a GGUF file says about itself. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"""

import os
import stat
import struct
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from sidecar.engines.llama.header import SCALARS, DamagedError, Reader
from sidecar.schema.errors import SidecarError

MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
READ: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
MAX_PAIRS: Final = 1 << 16
MAX_TENSORS: Final = 1 << 17
MAX_KEY_BYTES: Final = 1 << 16
MAX_KEPT_BYTES: Final = 1 << 10
MAX_DIMENSIONS: Final = 4
MAX_ALIGNMENT: Final = 1 << 20

STRING: Final = 8
ARRAY: Final = 9

BLOCKS: Final = {
    0: (1, 4),  # f32
    1: (1, 2),  # f16
    2: (32, 18),  # q4_0
    3: (32, 20),  # q4_1
    6: (32, 22),  # q5_0
    7: (32, 24),  # q5_1
    8: (32, 34),  # q8_0
    9: (32, 36),  # q8_1
    10: (256, 84),  # q2_K
    11: (256, 110),  # q3_K
    12: (256, 144),  # q4_K
    13: (256, 176),  # q5_K
    14: (256, 210),  # q6_K
    15: (256, 292),  # q8_K
    16: (256, 66),  # iq2_xxs
    17: (256, 74),  # iq2_xs
    18: (256, 98),  # iq3_xxs
    19: (256, 50),  # iq1_s
    20: (32, 18),  # iq4_nl
    21: (256, 110),  # iq3_s
    22: (256, 82),  # iq2_s
    23: (256, 136),  # iq4_xs
    24: (1, 1),  # i8
    25: (1, 2),  # i16
    26: (1, 4),  # i32
    27: (1, 8),  # i64
    28: (1, 8),  # f64
    29: (256, 56),  # iq1_m
    30: (1, 2),  # bf16
    34: (256, 54),  # tq1_0
    35: (256, 66),  # tq2_0
    39: (32, 17),  # mxfp4
    40: (64, 36),  # nvfp4
    41: (128, 18),  # q1_0
    42: (64, 18),  # q2_0
}
"""Elements and bytes of a block of each tensor type. Types of the future are not in it and not measured."""

NOT_MODELS: Final = {
    "adapter": "is an adapter, which only works on top of a model",
    "mmproj": "is the image part of a model, not the model itself",
    "clip": "is the image part of a model, not the model itself",
    "imatrix": "holds statistics for quantization, not a model",
}

POOLINGS: Final = ("none", "mean", "cls", "last", "rank")
"""Ways from the vectors of tokens to that of a text, by their numbers in llama.cpp."""

KEPT: Final = ("general.architecture", "general.name", "general.type", "general.alignment")
KEPT_OF_KIND: Final = (".context_length", ".pooling_type")
"""What is remembered of the metadata, the latter by the end of their names."""

Value = str | int | float | bool


class ModelFile(Struct, frozen=True):
    """A model file as its header describes it.

    `pooling` says how a text's vector comes from those of its tokens; models made for chat have none.
    """

    architecture: str
    name: str | None
    context_length: int | None
    size_bytes: int
    pooling: str | None = None


def inspect(path: str) -> ModelFile:
    """Read the header of the model file at `path`; raises `SidecarError("model_file_invalid")` unless it is whole."""
    name = Path(path).name or path
    try:
        with _open(Path(path)) as file:
            return parse(file, os.fstat(file.fileno()).st_size)
    except DamagedError as damage:
        raise SidecarError("model_file_invalid", f"The model file {name} {damage}.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path is not valid"
        raise SidecarError("model_file_invalid", f"The model file {name} cannot be read: {reason}.") from None


def _open(path: Path) -> BinaryIO:
    """Open a regular file with something in it; of anything else not even the end is waited for."""
    if not path.exists():
        raise DamagedError("does not exist")
    _check(path.stat())
    file = os.fdopen(os.open(path, READ), "rb")
    try:
        _check(os.fstat(file.fileno()))
    except DamagedError:
        file.close()
        raise
    return file


def _check(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise DamagedError("is a folder or device, not a file")
    if found.st_size == 0:
        raise DamagedError("is empty")


def parse(file: BinaryIO, size: int) -> ModelFile:
    """Read a header from `file`, which has `size` bytes; every count is checked before it is believed."""
    reader = Reader(file, size)
    tensors, pairs = _counts(reader)
    metadata = dict(pair for pair in (_pair(reader) for _ in range(pairs)) if _is_kept(pair[0]))
    ends = [_tensor_end(reader) for _ in range(tensors)]
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 0 < alignment <= MAX_ALIGNMENT:
        raise DamagedError("is damaged: its alignment makes no sense")
    data_start = -(-reader.position // alignment) * alignment
    if data_start + max(ends, default=0) > size:
        raise DamagedError("is incomplete: it was cut short, perhaps by an interrupted download")
    return _model(metadata, tensors, size)


def _counts(reader: Reader) -> tuple[int, int]:
    magic = reader.take(4)
    if magic != MAGIC:
        raise DamagedError("is not a GGUF file")
    version = reader.number("I")
    if version not in VERSIONS:
        raise DamagedError("has a version of the GGUF format that is not supported")
    tensors, pairs = int(reader.number("Q")), int(reader.number("Q"))
    if tensors > MAX_TENSORS or pairs > MAX_PAIRS:
        raise DamagedError("is damaged: its header makes no sense")
    return tensors, pairs


def _model(metadata: dict[str, Value | None], tensors: int, size: int) -> ModelFile:
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise DamagedError("does not say what kind of model it holds")
    kind = metadata.get("general.type")
    if fault := NOT_MODELS.get(str(kind)) or NOT_MODELS.get(architecture):
        raise DamagedError(fault)
    if not tensors:
        raise DamagedError("holds no weights")
    name, context = metadata.get("general.name"), metadata.get(f"{architecture}.context_length")
    known_context = isinstance(context, int) and context > 0
    return ModelFile(
        architecture=architecture,
        name=name if isinstance(name, str) and name else None,
        context_length=int(context) if known_context and context is not None else None,
        size_bytes=size,
        pooling=_pooling(metadata.get(f"{architecture}.pooling_type")),
    )


def _pooling(number: Value | None) -> str | None:
    if not isinstance(number, int):
        return None
    return POOLINGS[number] if 0 <= number < len(POOLINGS) else "unknown"


def _is_kept(key: str) -> bool:
    return key in KEPT or (key.endswith(KEPT_OF_KIND) and len(key) <= MAX_KEPT_BYTES)


def _pair(reader: Reader) -> tuple[str, Value | None]:
    key = reader.text(MAX_KEY_BYTES)
    kind = int(reader.number("I"))
    if kind == ARRAY:
        _skip_array(reader)
        return key, None
    if kind == STRING:
        return key, _kept_text(reader)
    if kind not in SCALARS:
        raise DamagedError("is damaged: its header makes no sense")
    return key, reader.number(SCALARS[kind])


def _kept_text(reader: Reader) -> str | None:
    """Return a text of a length that somebody might read, and pass over any other."""
    length = reader.number("Q")
    if length <= MAX_KEPT_BYTES:
        return reader.take(length).decode("utf-8", "replace")
    reader.skip(length)
    return None


def _skip_array(reader: Reader) -> None:
    kind, length = int(reader.number("I")), int(reader.number("Q"))
    if kind == STRING:
        reader.claim_elements(length)
        for _ in range(length):
            reader.skip(int(reader.number("Q")))
    elif kind in SCALARS:
        reader.skip(length * struct.calcsize("<" + SCALARS[kind]))
    else:
        raise DamagedError("is damaged: its header makes no sense")


def _tensor_end(reader: Reader) -> int:
    reader.text(MAX_KEY_BYTES)
    dimensions = int(reader.number("I"))
    if not 0 < dimensions <= MAX_DIMENSIONS:
        raise DamagedError("is damaged: the shape of a tensor makes no sense")
    elements = 1
    for _ in range(dimensions):
        elements *= int(reader.number("Q"))
    kind, offset = int(reader.number("I")), int(reader.number("Q"))
    per_block, block_bytes = BLOCKS.get(kind, (1, 0))
    return offset + -(-elements // per_block) * block_bytes
