"""JSON Schemas as they can be sent.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from sidecar.dialects.anthropic_messages.closed import DEFINITIONS, Schema, is_object, types_of

FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
SILENT: Final = frozenset({"$schema", "$id", "$comment", "additionalProperties"})
"""Members that say nothing about an answer, or nothing that is not said anyway."""


def sanitised(schema: Schema) -> Schema:
    """Return an obeyable schema with closed objects, and in words what has no other expression there."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]} | _definitions(schema)
    kinds = types_of(schema)
    if len(kinds) > 1:
        return _one_for_each(schema, kinds)
    kept = {name: KEPT[name](value) for name, value in schema.items() if _is_kept(name, value)}
    kept |= {"type": kinds[0]} if kinds else {}
    if is_object(schema):
        kept |= {"type": "object", "additionalProperties": False}
    if "oneOf" in kept:
        kept["anyOf"] = [*kept.get("anyOf", ()), *kept.pop("oneOf")]
    rest = {name: value for name, value in schema.items() if name not in SILENT and not _is_kept(name, value)}
    return kept | _described(schema, rest)


def _one_for_each(schema: Schema, kinds: list[str]) -> Schema:
    """Return a choice between types as a choice between schemas."""
    outer = {name: value for name, value in schema.items() if name == "description"} | _definitions(schema)
    rest = {name: value for name, value in schema.items() if name not in ("type", "description", *DEFINITIONS)}
    if "enum" in rest or "const" in rest:
        return sanitised(rest | outer)
    variants = [{"type": kind} | {k: v for k, v in rest.items() if TYPES.get(k, kind) == kind} for kind in kinds]
    return {"anyOf": [sanitised(variant) for variant in variants]} | outer


def _definitions(schema: Schema) -> Schema:
    return {name: _each(schema[name]) for name in DEFINITIONS if name in schema}


def _is_kept(name: str, value: Any) -> bool:
    if name == "format":
        return isinstance(value, str) and value in FORMATS
    return value in (0, 1) if name == "minItems" else name in KEPT


def _described(schema: Schema, rest: Schema) -> Schema:
    if not rest:
        return {}
    words = f"Constraints: {msgspec.json.encode(rest).decode()}"
    return {"description": f"{schema['description']}\n\n{words}" if schema.get("description") else words}


def _as_is(value: Any) -> Any:
    return value


def _each(schemas: dict[str, Any]) -> dict[str, Any]:
    return {name: sanitised(schema) for name, schema in schemas.items()}


def _all(schemas: list[Any]) -> list[Any]:
    return [sanitised(schema) for schema in schemas]


KEPT: Final[dict[str, Callable[[Any], Any]]] = (
    dict.fromkeys(("type", "enum", "const", "title", "description", "required", "format", "minItems"), _as_is)
    | dict.fromkeys(("properties", *DEFINITIONS), _each)
    | dict.fromkeys(("anyOf", "oneOf", "allOf"), _all)
    | {"items": sanitised}
)
"""What is understood, and how it is written."""

TYPES: Final[dict[str, str]] = {
    **dict.fromkeys(("properties", "required", "additionalProperties"), "object"),
    **dict.fromkeys(("items", "minItems", "maxItems"), "array"),
    **dict.fromkeys(("format", "pattern", "minLength", "maxLength"), "string"),
}
"""Which type a member is about, where it is about one."""
