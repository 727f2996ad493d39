"""JSON Schemas that an engine's grammar can carry. Too large a grammar crashes native code."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from sidecar.schema.errors import SidecarError

MAX_DEPTH: Final = 64
MAX_NODES: Final = 5_000
MAX_REPEATS: Final = 1_000
REPEATS: Final = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def check_schema(schema: dict[str, Any]) -> None:
    """Raise `SidecarError("unsupported_feature")` for a schema too large or with references that lead nowhere."""
    for count, (node, depth) in enumerate(_nodes(schema)):
        if depth > MAX_DEPTH or count >= MAX_NODES:
            raise _refused("it is too large or too deeply nested")
        if isinstance(node, dict):
            _check_repeats(node)
            _check_reference(node.get("$ref"), schema)


def _nodes(root: Any) -> Iterator[tuple[Any, int]]:
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        waiting.extend((child, depth + 1) for child in children)


def _check_repeats(node: dict[str, Any]) -> None:
    for name in REPEATS:
        limit = node.get(name)
        if isinstance(limit, int) and limit > MAX_REPEATS:
            raise _refused(f"`{name}` is greater than {MAX_REPEATS}")


def _check_reference(reference: Any, schema: dict[str, Any]) -> None:
    if not isinstance(reference, str):
        return
    start, *steps = reference.split("/")
    if start != "#" or not _holds(schema, steps):
        raise _refused("it refers to a definition that it does not hold")


def _holds(node: Any, steps: list[str]) -> bool:
    for step in steps:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and name.isdecimal() and int(name) < len(node):
            node = node[int(name)]
        elif isinstance(node, dict) and name in node:
            node = node[name]
        else:
            return False
    return True


def _refused(reason: str) -> SidecarError:
    message = f"Local models cannot follow this JSON schema: {reason}."
    return SidecarError("unsupported_feature", message, param="response_format")
