"""JSON Schemas in the words that the server knows. https://ai.google.dev/gemini-api/docs/structured-output"""

from collections.abc import Callable
from typing import Any, Final, cast

from sidecar.schema.errors import SidecarError

Schema = dict[str, Any]

NAMED: Final = frozenset({"properties", "patternProperties", "$defs"})
"""Keywords with a schema under each name."""

LISTED: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
"""Keywords with a list of schemas."""

NESTED: Final = frozenset({"items", "additionalProperties", "not", "contains", "if", "then", "else"})
"""Keywords with a schema, or with a boolean."""

ABOUT: Final = frozenset({"title", "description", "type", "required", "properties", "additionalProperties", "$schema"})
"""All that a schema holds that allows nothing but an empty object."""


def adapted(schema: Schema) -> Schema:
    """Return `schema` with what the server refuses said otherwise; raise `invalid_params` where it is too deep."""
    try:
        return _adapted(schema)
    except RecursionError:
        raise SidecarError("invalid_params", "A JSON Schema is nested too deeply.") from None


def takes_nothing(schema: Schema) -> bool:
    """Tell whether a tool with this schema has no parameters."""
    return schema.keys() <= ABOUT and not schema.get("properties") and not schema.get("additionalProperties")


def _adapted(schema: Schema) -> Schema:
    if isinstance(schema.get("$ref"), str):
        # Beside a reference nothing else may stand.
        schema = {name: value for name, value in schema.items() if name.startswith("$") or name == "definitions"}
    found: Schema = {}
    for name, value in schema.items():
        found |= REWRITTEN[name](value) if name in REWRITTEN else {name: _inner(name, value)}
    return found


def _inner(name: str, value: Any) -> Any:
    if name in NAMED and isinstance(value, dict):
        return {key: _sub(inner) for key, inner in cast("Schema", value).items()}
    if name in LISTED and isinstance(value, list):
        listed = cast("list[Schema]", value)
        return [_sub(inner) for inner in listed]
    return _sub(value) if name in NESTED else value


def _sub(schema: Any) -> Any:
    return _adapted(cast("Schema", schema)) if isinstance(schema, dict) else schema


def _constant(value: Any) -> Schema:
    """Return what allows one value; of those that no list of values may hold, at least the type."""
    if isinstance(value, bool) or value is None:
        return {"type": "null" if value is None else "boolean"}
    return {"enum": [value]} if isinstance(value, str | int | float) else {}


def _reference(value: Any) -> Schema:
    return {"$ref": value.replace("#/definitions/", "#/$defs/", 1) if isinstance(value, str) else value}


def _definitions(value: Any) -> Schema:
    return {"$defs": _inner("$defs", value)}


def _nothing(value: Any) -> Schema:
    del value
    return {}


REWRITTEN: Final[dict[str, Callable[[Any], Schema]]] = {
    "const": _constant,
    "$ref": _reference,
    "definitions": _definitions,
    "$schema": _nothing,
    "$comment": _nothing,
}
"""Keywords that are said otherwise, or not at all."""
