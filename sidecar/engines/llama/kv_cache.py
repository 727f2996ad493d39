"""What a model remembers of each token of its context, by the fields of its header. Pure.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from collections.abc import Mapping
from typing import Any, Final

LAYERS: Final = ".block_count"
EMBEDDING: Final = ".embedding_length"
HEADS: Final = ".attention.head_count"
KV_HEADS: Final = ".attention.head_count_kv"
KEY: Final = ".attention.key_length"
VALUE: Final = ".attention.value_length"
KEYS: Final = (LAYERS, EMBEDDING, HEADS, KV_HEADS, KEY, VALUE)
"""The fields, without the architecture that they begin with."""

Field = int | list[int] | None


def width(fields: Mapping[str, Any]) -> int | None:
    """Return how many numbers are kept for a token, of all layers together; None where the header does not tell.

    Layers that look back only so far are counted like the others, so with some models it is less.
    """
    layers, heads = _most(fields.get(LAYERS)), _most(fields.get(HEADS))
    embedding = _most(fields.get(EMBEDDING))
    head = embedding // heads if heads else 0
    key, value = _most(fields.get(KEY)) or head, _most(fields.get(VALUE)) or head
    kv_heads = _sum(fields.get(KV_HEADS) or fields.get(HEADS), layers)
    return kv_heads * (key + value) or None


def _most(field: Field) -> int:
    """Return the largest of what may be said for each layer, and 0 for what makes no sense."""
    values = field if isinstance(field, list) else [field]
    return max((value for value in values if type(value) is int and value > 0), default=0)


def _sum(field: Field, layers: int) -> int:
    """Return the sum over the layers of what may be said for each, or once for all."""
    return sum(map(_most, field)) if isinstance(field, list) else _most(field) * layers
