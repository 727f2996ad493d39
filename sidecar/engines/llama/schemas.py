"""JSON Schemas that an engine's grammar can carry. Too large a grammar crashes native code."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast
from urllib.parse import unquote

from sidecar.schema.errors import SidecarError

MAX_DEPTH: Final = 64
MAX_NODES: Final = 5_000
MAX_REPEATS: Final = 1_000
REPEATS: Final = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def check_schema(schema: dict[str, Any], param: str = "response_format") -> None:
    """Raise `SidecarError("unsupported_feature")` for a schema too large or with references that lead nowhere."""
    for count, (node, depth) in enumerate(_nodes(schema)):
        members = _members(node)
        if depth > MAX_DEPTH or count >= MAX_NODES:
            reason: str | None = "it is too large or too deeply nested"
        else:
            reason = _excess(members) or _loose_end(members.get("$ref"), schema)
        if reason is not None:
            message = f"Local models cannot follow this JSON schema: {reason}."
            raise SidecarError("unsupported_feature", message, param=param)


def rebased(schema: Any, place: str) -> Any:
    """Return a schema whose references hold where it is a part of another one, at `place`, as in `#/$defs/name`."""
    if isinstance(schema, list):
        return [rebased(item, place) for item in cast("Iterable[Any]", schema)]
    moved = {name: rebased(value, place) for name, value in _members(schema).items()}
    reference = moved.get("$ref")
    if isinstance(reference, str):
        moved["$ref"] = place + reference.removeprefix("#")
    return moved if isinstance(schema, dict) else schema


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


def _excess(members: dict[str, Any]) -> str | None:
    for name in REPEATS:
        limit = members.get(name)
        if isinstance(limit, int | float) and limit > MAX_REPEATS:
            return f"`{name}` is greater than {MAX_REPEATS}"
    return None


def _loose_end(reference: Any, schema: dict[str, Any]) -> str | None:
    if not isinstance(reference, str):
        return None
    start, *steps = reference.split("/")
    held = start == "#" and _holds(schema, steps)
    return None if held else "it refers to a definition that it does not hold"


def _holds(node: Any, steps: list[str]) -> bool:
    for step in steps:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        members = _members(node)
        if name not in members:
            return False
        node = members[name]
    return True
