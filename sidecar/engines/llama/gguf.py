"""What a GGUF file says about itself. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from sidecar.schema.errors import SidecarError

MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
MAX_PAIRS: Final = 1 << 16
MAX_TENSORS: Final = 1 << 17
MAX_KEY_BYTES: Final = 1 << 16
MAX_TEXT_BYTES: Final = 16 << 20
MAX_ELEMENTS: Final = 1 << 23
MAX_DIMENSIONS: Final = 4
MAX_ALIGNMENT: Final = 1 << 20

STRING: Final = 8
ARRAY: Final = 9
SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

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


class _DamagedError(Exception):
    """The bytes are not a GGUF header; the text completes "The model file … "."""


def inspect(path: str) -> ModelFile:
    """Read the header of the model file at `path`; raises `SidecarError("model_file_invalid")` unless it is whole."""
    name = Path(path).name or path
    try:
        size = _size(Path(path))
        with Path(path).open("rb") as file:
            return parse(file, size)
    except _DamagedError as damage:
        raise SidecarError("model_file_invalid", f"The model file {name} {damage}.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path is not valid"
        raise SidecarError("model_file_invalid", f"The model file {name} cannot be read: {reason}.") from None


def _size(path: Path) -> int:
    if not path.exists():
        raise _DamagedError("does not exist")
    if not path.is_file():
        raise _DamagedError("is a folder or device, not a file")
    size = path.stat().st_size
    if size == 0:
        raise _DamagedError("is empty")
    return size


def parse(file: BinaryIO, size: int) -> ModelFile:
    """Read a header from `file`, which has `size` bytes; every count is checked before it is believed."""
    reader = _Reader(file, size)
    tensors, pairs = _counts(reader)
    metadata = dict(_pair(reader) for _ in range(pairs))
    ends = [_tensor_end(reader) for _ in range(tensors)]
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 0 < alignment <= MAX_ALIGNMENT:
        raise _DamagedError("is damaged: its alignment makes no sense")
    data_start = -(-reader.position // alignment) * alignment
    if data_start + max(ends, default=0) > size:
        raise _DamagedError("is incomplete: it was cut short, perhaps by an interrupted download")
    return _model(metadata, tensors, size)


def _counts(reader: "_Reader") -> tuple[int, int]:
    magic = reader.take(4)
    if magic != MAGIC:
        raise _DamagedError("is not a GGUF file")
    version = reader.number("I")
    if version not in VERSIONS:
        raise _DamagedError("has a version of the GGUF format that is not supported")
    tensors, pairs = int(reader.number("Q")), int(reader.number("Q"))
    if tensors > MAX_TENSORS or pairs > MAX_PAIRS:
        raise _DamagedError("is damaged: its header makes no sense")
    return tensors, pairs


def _model(metadata: dict[str, Value | None], tensors: int, size: int) -> ModelFile:
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise _DamagedError("does not say what kind of model it holds")
    kind = metadata.get("general.type")
    if fault := NOT_MODELS.get(str(kind)) or NOT_MODELS.get(architecture):
        raise _DamagedError(fault)
    if not tensors:
        raise _DamagedError("holds no weights")
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


def _pair(reader: "_Reader") -> tuple[str, Value | None]:
    key = reader.text(MAX_KEY_BYTES)
    kind = int(reader.number("I"))
    if kind == ARRAY:
        _skip_array(reader)
        return key, None
    if kind == STRING:
        return key, reader.text(MAX_TEXT_BYTES)
    if kind not in SCALARS:
        raise _DamagedError("is damaged: its header makes no sense")
    return key, reader.number(SCALARS[kind])


def _skip_array(reader: "_Reader") -> None:
    kind, length = int(reader.number("I")), int(reader.number("Q"))
    if kind == STRING and length <= MAX_ELEMENTS:
        for _ in range(length):
            reader.skip(int(reader.number("Q")))
    elif kind in SCALARS:
        reader.skip(length * struct.calcsize("<" + SCALARS[kind]))
    else:
        raise _DamagedError("is damaged: its header makes no sense")


def _tensor_end(reader: "_Reader") -> int:
    reader.text(MAX_KEY_BYTES)
    dimensions = int(reader.number("I"))
    if not 0 < dimensions <= MAX_DIMENSIONS:
        raise _DamagedError("is damaged: the shape of a tensor makes no sense")
    elements = 1
    for _ in range(dimensions):
        elements *= int(reader.number("Q"))
    kind, offset = int(reader.number("I")), int(reader.number("Q"))
    per_block, block_bytes = BLOCKS.get(kind, (1, 0))
    return offset + -(-elements // per_block) * block_bytes


class _Reader:
    """Reads little-endian values in order, from pieces of the file, never beyond its end."""

    __slots__ = ("_at", "_file", "_held", "_left", "position")
    PIECE: Final = 1 << 20

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._held = b""
        self._at = 0
        self._left = size
        self.position = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        self._claim(count)
        end = self._at + count
        if end > len(self._held):
            missing = end - len(self._held)
            self._held = self._held[self._at :] + self._file.read(max(missing, self.PIECE))
            self._at, end = 0, count
            if end > len(self._held):
                raise _DamagedError("is incomplete: its header is cut short")
        piece = self._held[self._at : end]
        self._at = end
        return piece

    def skip(self, count: int) -> None:
        """Pass over the next `count` bytes without reading what lies beyond the held piece."""
        self._claim(count)
        held = len(self._held) - self._at
        if count > held:
            self._file.seek(count - held, 1)
            self._held, self._at = b"", 0
        else:
            self._at += count

    def number(self, code: str) -> int:
        """Return the next value of the `struct` type `code`."""
        reader, width = _NUMBERS[code]
        value: int = reader(self.take(width))[0]
        return value

    def text(self, longest: int) -> str:
        """Return the next string; one of more than `longest` bytes means a damaged file."""
        length = self.number("Q")
        if length > longest:
            raise _DamagedError("is damaged: its header makes no sense")
        return self.take(length).decode("utf-8", "replace")

    def _claim(self, count: int) -> None:
        if count > self._left:
            raise _DamagedError("is incomplete: its header is cut short")
        self._left -= count
        self.position += count


def _number_readers() -> dict[str, tuple[Callable[[bytes], tuple[int, ...]], int]]:
    formats = {code: struct.Struct("<" + code) for code in SCALARS.values()}
    return {code: (form.unpack, form.size) for code, form in formats.items()}


_NUMBERS: Final = _number_readers()
