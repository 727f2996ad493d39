"""JSON Schemas in the form that strict mode demands. https://platform.openai.com/docs/guides/structured-outputs"""

import re
from collections.abc import Callable
from typing import Any, Final

Schema = dict[Any, Any]

REFUSED: Final = frozenset({"propertyNames"})
"""Keywords that strict mode does not take; what they demand is lost."""

NAMED: Final = frozenset({"properties", "$defs", "definitions", "patternProperties"})
"""Keywords that hold schemas by name."""

VERBATIM: Final = frozenset({"enum", "const", "default", "examples", "required"})
"""Keywords that hold values, not schemas."""

LOOK_AROUND: Final = re.compile(r"\(\?<?[=!]")

EMPTY: Final[Schema] = {"type": "object", "properties": {}}


def strict(schema: Schema) -> Schema:
    """Return `schema` with closed objects, all of whose properties are required.

    It allows nothing that it did not allow before, but for names of properties and patterns that look around.
    """
    merged = {name: _inside(name, value) for name, value in _flat(schema).items() if _is_taken(name, value)}
    if merged.get("type") == "object" or "properties" in merged:
        properties: Schema = merged.get("properties") or {}
        merged |= {"properties": properties, "required": list(properties), "additionalProperties": False}
    return merged


def _flat(schema: Schema) -> Schema:
    """Return the schema with the only one of `allOf` in its place."""
    match schema:
        case {"allOf": [{**only}], **rest} if not only.keys() & rest.keys():
            return rest | only
        case _:
            return schema


def _is_taken(name: str, value: object) -> bool:
    return name not in REFUSED and not (name == "pattern" and isinstance(value, str) and LOOK_AROUND.search(value))


def _inside(name: str, value: Any) -> Any:
    if name in VERBATIM:
        return value
    return _each(value, strict if name not in NAMED else _by_name)


def _by_name(schemas: Schema) -> Schema:
    return {name: _each(schema, strict) for name, schema in schemas.items()}


def _each(value: Any, change: Callable[[Schema], Schema]) -> Any:
    """Return a schema, or a list of them, changed; anything else as it is."""
    match value:
        case {**schema}:
            return change(schema)
        case [*schemas]:
            return [_each(one, change) for one in schemas]
        case _:
            return value
