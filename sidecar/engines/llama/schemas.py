"""JSON Schemas that an engine's grammar can carry. Too large a grammar crashes native code."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast
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
        members = _members(node)
        _check_repeats(members)
        _check_reference(members.get("$ref"), schema)


def _nodes(root: Any) -> Iterator[tuple[Any, int]]:
    waiting: list[tuple[Any, int]] = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in _members(node).values())


def _members(node: Any) -> dict[str, Any]:
    """Return what an object or array of JSON holds, by its name or number."""
    if isinstance(node, list):
        return {str(number): item for number, item in enumerate(cast("Iterable[Any]", node))}
    return cast("dict[str, Any]", node) if isinstance(node, dict) else {}


def _check_repeats(members: dict[str, Any]) -> None:
    for name in REPEATS:
        limit = members.get(name)
        if isinstance(limit, int | float) and limit > MAX_REPEATS:
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
        members = _members(node)
        if name not in members:
            return False
        node = members[name]
    return True


def _refused(reason: str) -> SidecarError:
    message = f"Local models cannot follow this JSON schema: {reason}."
    return SidecarError("unsupported_feature", message, param="response_format")
