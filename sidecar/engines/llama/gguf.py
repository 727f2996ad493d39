"""What a GGUF file says about itself. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"""

import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from sidecar.engines.llama import kv_cache
from sidecar.engines.llama.header import BLOCKS, SCALARS, DamagedError, Reader
from sidecar.engines.llama.parts import parts_of
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

INTEGERS: Final = frozenset({0, 1, 2, 3, 4, 5, 10, 11})
STRING: Final = 8
ARRAY: Final = 9

NOT_MODELS: Final = {
    "adapter": "is an adapter, which only works on top of a model",
    "mmproj": "is the image part of a model, not the model itself",
    "clip": "is the image part of a model, not the model itself",
    "imatrix": "holds statistics for quantization, not a model",
}

POOLINGS: Final = ("none", "mean", "cls", "last", "rank")
"""Ways from the vectors of tokens to that of a text, by their numbers in llama.cpp."""

ALIGNMENT: Final = "general.alignment"
TOKENS: Final = "tokenizer.ggml.tokens"
KEPT: Final = ("general.architecture", "general.name", "general.type", ALIGNMENT, TOKENS)
KEPT_OF_KIND: Final = (".context_length", ".pooling_type", *kv_cache.KEYS)
"""What is remembered of the metadata, the latter by the end of their names; of lists of texts only how many."""

MAX_KEPT_NUMBERS: Final = 1 << 12
"""The longest list of numbers that is remembered."""

Value = str | int | float | bool | list[int]
Keep = Callable[[str], int]
"""Returns how long the text with this key may be that is remembered; 0 where its value is not wanted at all."""


class Header(Struct, frozen=True):
    """What a header says: some of the metadata, how many tensors there are, and how many numbers in them."""

    metadata: dict[str, Value | None]
    tensors: int
    elements: int


class ModelFile(Struct, frozen=True):
    """A model file as its header describes it.

    `pooling` says how a text's vector comes from those of its tokens; models made for chat have none. `cache_width` is
    how many numbers are kept for each token of the context, `vocabulary` how many tokens there are.
    """

    architecture: str
    name: str | None
    context_length: int | None
    size_bytes: int
    pooling: str | None = None
    cache_width: int | None = None
    vocabulary: int | None = None


def inspect(path: str) -> ModelFile:
    """Read the header of the model file at `path`, and those of its other parts, where it is the first of several.

    Raises `SidecarError("model_file_invalid")` unless all of it is whole.
    """
    return described(path, survey(path, kept_bytes))


def survey(path: str, keep: Keep) -> list[tuple[int, Header]]:
    """Return the size and the header of each file of a model, `path` being the first; raises as `inspect` does."""
    return [read(name, keep) for name in _files(path)]


def described(path: str, files: list[tuple[int, Header]]) -> ModelFile:
    """Return what the files of a model say together; raises as `inspect` does where they hold something else."""
    tensors, size = sum(header.tensors for _, header in files), sum(size for size, _ in files)
    try:
        return _model(files[0][1].metadata, tensors, size)
    except DamagedError as damage:
        raise SidecarError("model_file_invalid", f"The model file {Path(path).name} {damage}.") from None


def _files(path: str) -> list[str]:
    if not path:
        raise SidecarError("model_file_invalid", "No model file is chosen.")
    name = Path(path).name
    names = parts_of(name)
    if name != names[0]:
        message = f"The model file {name} is a later part of a model; its first part is {names[0]}."
        raise SidecarError("model_file_invalid", message)
    return [path, *(str(Path(path).with_name(other)) for other in names[1:])]


def read(path: str, keep: Keep) -> tuple[int, Header]:
    """Return the size and the header of one file; raises `SidecarError("model_file_invalid")` unless it is whole."""
    name = Path(path).name or path
    try:
        with _open(Path(path)) as file:
            size = os.fstat(file.fileno()).st_size
            return size, _header(file, size, keep)
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
    header = _header(file, size, kept_bytes)
    return _model(header.metadata, header.tensors, size)


def _header(file: BinaryIO, size: int, keep: Keep) -> Header:
    reader = Reader(file, size)
    tensors, pairs = _counts(reader)
    found = [_pair(reader, keep) for _ in range(pairs)]
    metadata = {key: value for key, value in found if keep(key) or key == ALIGNMENT}
    shapes = [_tensor(reader) for _ in range(tensors)]
    alignment = metadata.get(ALIGNMENT, 32)
    if not isinstance(alignment, int) or not 0 < alignment <= MAX_ALIGNMENT:
        raise DamagedError("is damaged: its alignment makes no sense")
    data_start = -(-reader.position // alignment) * alignment
    if data_start + max((end for _, end in shapes), default=0) > size:
        raise DamagedError("is incomplete: it was cut short, perhaps by an interrupted download")
    return Header(metadata, tensors, sum(elements for elements, _ in shapes))


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
    return ModelFile(
        architecture=architecture,
        name=name if isinstance(name, str) and name else None,
        context_length=context if isinstance(context, int) and context > 0 else None,
        size_bytes=size,
        pooling=_pooling(metadata.get(f"{architecture}.pooling_type")),
        cache_width=kv_cache.width({key: metadata.get(architecture + key) for key in kv_cache.KEYS}),
        vocabulary=tokens if isinstance(tokens := metadata.get(TOKENS), int) else None,
    )


def _pooling(number: Value | None) -> str | None:
    if not isinstance(number, int):
        return None
    return POOLINGS[number] if 0 <= number < len(POOLINGS) else "unknown"


def kept_bytes(key: str) -> int:
    """Return how long a text may be that a `ModelFile` is made of."""
    return MAX_KEPT_BYTES if key in KEPT or (key.endswith(KEPT_OF_KIND) and len(key) <= MAX_KEPT_BYTES) else 0


def _pair(reader: Reader, keep: Keep) -> tuple[str, Value | None]:
    key = reader.text(MAX_KEY_BYTES)
    kind = int(reader.number("I"))
    if kind == ARRAY:
        return key, _numbers(reader) if key.endswith(kv_cache.KEYS) else _skip_array(reader)
    if kind == STRING:
        return key, _kept_text(reader, keep(key))
    if kind not in SCALARS:
        raise DamagedError("is damaged: its header makes no sense")
    return key, reader.number(SCALARS[kind])


def _kept_text(reader: Reader, longest: int) -> str | None:
    """Return a text of a length that somebody might read, and pass over any other."""
    length = reader.number("Q")
    if length <= longest:
        return reader.take(length).decode("utf-8", "replace")
    reader.skip(length)
    return None


def _numbers(reader: Reader) -> list[int] | None:
    """Return a list of numbers, one for each layer; pass over anything else."""
    kind, length = int(reader.number("I")), int(reader.number("Q"))
    if kind in INTEGERS and length <= MAX_KEPT_NUMBERS:
        reader.claim_elements(length)
        return [int(reader.number(SCALARS[kind])) for _ in range(length)]
    _skip_elements(reader, kind, length)
    return None


def _skip_array(reader: Reader) -> int:
    """Pass over a list, and return how many elements it has."""
    kind, length = int(reader.number("I")), int(reader.number("Q"))
    _skip_elements(reader, kind, length)
    return length


def _skip_elements(reader: Reader, kind: int, length: int) -> None:
    if kind == STRING:
        reader.skip_texts(length)
    elif kind in SCALARS:
        reader.skip(length * struct.calcsize("<" + SCALARS[kind]))
    else:
        raise DamagedError("is damaged: its header makes no sense")


def _tensor(reader: Reader) -> tuple[int, int]:
    """Return how many numbers a tensor has, and where it ends."""
    reader.text(MAX_KEY_BYTES)
    dimensions = int(reader.number("I"))
    if not 0 < dimensions <= MAX_DIMENSIONS:
        raise DamagedError("is damaged: the shape of a tensor makes no sense")
    elements = 1
    for _ in range(dimensions):
        elements *= int(reader.number("Q"))
    kind, offset = int(reader.number("I")), int(reader.number("Q"))
    per_block, block_bytes = BLOCKS.get(kind, (1, 0))
    return elements, offset + -(-elements // per_block) * block_bytes
