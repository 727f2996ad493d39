"""Which JSON Schemas answers can be made to obey: those of closed objects that do not contain themselves."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Schema = dict[str, Any]

DEFINITIONS: Final = ("$defs", "definitions")
BRANCHES: Final = ("anyOf", "oneOf", "allOf")
SPEAKING: Final = ("type", "enum", "const", "$ref", "properties", *BRANCHES)
"""Members of which a schema has at least one, unless it allows anything."""

SHAPES: Final[Mapping[str, Any]] = {
    "type": (str, list),
    "enum": list,
    "required": list,
    "properties": dict,
    "items": dict,
    "$ref": str,
    "description": str,
    "format": str,
    "minItems": int,
    **dict.fromkeys(BRANCHES, list),
    **dict.fromkeys(DEFINITIONS, dict),
}
"""What members look like in a schema that is one."""


def obeyable(schema: Schema) -> bool:
    """Tell whether answers can be made to match a schema."""
    try:
        return _Check(schema).passes(schema, ())
    except RecursionError:
        return False


class _Check:
    """Looks through one schema; what `$ref` points to is looked at once."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._passed: set[str] = set()

    def passes(self, schema: Any, trail: tuple[str, ...]) -> bool:
        if not _is_sound(schema):
            return False
        if "$ref" in schema and not self._leads_on(schema["$ref"], trail):
            return False
        return not _is_open(schema) and all(self.passes(inner, trail) for inner in _inner(schema))

    def _leads_on(self, place: str, trail: tuple[str, ...]) -> bool:
        if place in trail:
            return False
        if place not in self._passed and not self.passes(self._found(place), (*trail, place)):
            return False
        self._passed.add(place)
        return True

    def _found(self, place: str) -> Any:
        holder, _, name = place.removeprefix("#/").partition("/")
        return self._root[holder].get(name) if holder in DEFINITIONS and holder in self._root else None


def _is_sound(schema: Any) -> bool:
    """Tell whether a schema has the form of one, and demands something."""
    if not isinstance(schema, dict) or not any(name in schema for name in SPEAKING):
        return False
    return all(isinstance(schema[name], shape) for name, shape in SHAPES.items() if name in schema)


def _is_open(schema: Schema) -> bool:
    """Tell whether a schema is of objects whose members are not known beforehand."""
    if not is_object(schema):
        return False
    more = schema.get("additionalProperties", False) is not False or "patternProperties" in schema
    return more or "properties" not in schema


def is_object(schema: Schema) -> bool:
    """Tell whether a schema is of objects."""
    return "properties" in schema or "object" in types_of(schema)


def types_of(schema: Schema) -> list[str]:
    """Return the types that a schema allows, where it names them."""
    kinds: Any = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else [str(kind) for kind in kinds]


def _inner(schema: Schema) -> Iterator[Any]:
    for name, values in INNER.items():
        if name in schema:
            yield from values(schema[name])
    if "array" in types_of(schema) and "items" not in schema:
        yield None


def _members(schemas: Any) -> list[Any]:
    return list(schemas.values())


def _choices(schemas: Any) -> list[Any]:
    return list(schemas)


def _single(schema: Any) -> list[Any]:
    return [schema]


INNER: Final[dict[str, Callable[[Any], list[Any]]]] = (
    dict.fromkeys(("properties", *DEFINITIONS), _members) | dict.fromkeys(BRANCHES, _choices) | {"items": _single}
)
"""Where schemas lie within schemas."""
