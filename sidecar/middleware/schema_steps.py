"""Counts how many steps holding an answer against a schema may take, before it is done where nothing can stop it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast
from urllib.parse import unquote

from msgspec import Struct

MAX_STEPS: Final = 1_000_000
"""About a tenth of a second, during which nothing else runs."""
MAX_NESTING: Final = 400
"""Of schemas within schemas along one path of the answer: what is deeper could overflow the stack of a thread."""

MAX_PATTERNS: Final = 500
"""In a schema: compiling one may take hundredths of a second."""

LISTED: Final = ("allOf", "anyOf", "oneOf")
SINGLE: Final = ("not", "if", "then", "else")
NAMED: Final = ("dependentSchemas", "dependencies")
REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
OF_OTHER_KEYS: Final = ("additionalProperties", "unevaluatedProperties")
OF_ALL_ITEMS: Final = ("items", "additionalItems", "unevaluatedItems", "contains")
UNEVALUATED: Final = frozenset({"unevaluatedProperties", "unevaluatedItems"})

MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", *NAMED})
DATA: Final = frozenset({"const", "enum", "default", "examples", "example"})
COUNTED: Final = frozenset({
    *(*LISTED, *SINGLE, *NAMED, *REFERENCES, *OF_OTHER_KEYS, *OF_ALL_ITEMS, *UNEVALUATED),
    *("properties", "patternProperties", "propertyNames", "prefixItems", "pattern", "enum"),
})  # fmt: skip
"""What makes a schema take more than one step."""
ANYTHING: Final = object()
"""Stands for an answer that is not there yet: nothing is inside."""

Schema = dict[str, Any]


class TooManyStepsError(Exception):
    """The check could take longer, or nest deeper, than it may."""


class UnknownReferenceError(Exception):
    """The schema refers to a definition that it does not hold, or to itself without end."""


class Steps(Struct, frozen=True):
    """What a check takes at most; `places` of them are in one place, and its calls nest to `height`."""

    count: int
    places: int
    height: int


NO_STEP: Final = Steps(0, 0, 0)
ONE_STEP: Final = Steps(1, 1, 1)


class StepCounter:
    """Adds up every subschema that an answer may meet; a check that stops early takes fewer steps.

    `per_character` is what a pattern takes for each character of a string.
    """

    def __init__(self, schema: Schema, per_character: int) -> None:
        self._root = schema
        self._per_character = per_character
        self._known: dict[tuple[int, int], Steps | None] = {}
        self._parts_of_all = list(_schemas(schema))
        self._resources = [schema]
        self._anchors: dict[str, list[Schema]] = {}
        for part in self._parts_of_all:
            self._name(part)

    def before_any(self) -> int:
        """Return how many steps it takes to read the schema, which follows references within one place."""
        self._known.clear()
        if sum(map(_patterns, self._parts_of_all)) > MAX_PATTERNS:
            raise TooManyStepsError
        return _within_bounds(sum(self._of(part, ANYTHING, MAX_NESTING).count for part in self._parts_of_all))

    def with_answer(self, answer: Any) -> int:
        """Return how many steps it takes to hold an answer against the schema."""
        self._known.clear()
        return self._of(self._root, answer, MAX_NESTING).count

    def _of(self, schema: Any, value: Any, room: int) -> Steps:
        if not isinstance(schema, dict):
            return NO_STEP if schema is None else ONE_STEP
        schema = cast("Schema", schema)
        if schema.keys().isdisjoint(COUNTED):
            return ONE_STEP
        key = (id(schema), id(value))
        if key in self._known:
            return self._again(self._known[key], room)
        if not room:
            raise TooManyStepsError
        self._known[key] = None
        steps = self._in_place(schema, value, room)
        count, height = steps.count, steps.height
        for part, child in _descents(schema, value):
            inside = self._of(part, child, room - 1)
            count, height = _within_bounds(count + inside.count), max(height, inside.height)
        known = self._known[key] = Steps(count, steps.places, height + 1)
        return known

    def _again(self, known: Steps | None, room: int) -> Steps:
        if known is None:
            raise UnknownReferenceError
        if known.height > room:
            raise TooManyStepsError
        return known

    def _in_place(self, schema: Schema, value: Any, room: int) -> Steps:
        count, places, height = self._keywords(schema, value), 1, 0
        for part in self._parts(schema):
            steps = self._of(part, value, room - 1)
            count, height = _within_bounds(count + steps.count), max(height, steps.height)
            places += steps.places
        if not UNEVALUATED.isdisjoint(schema):
            # All parts say what they evaluated, and those that are conditional are evaluated again.
            count = _within_bounds(count + places * (places + len(_list(value)) + len(_dict(value))))
        return Steps(count, places, height)

    def _keywords(self, schema: Schema, value: Any) -> int:
        count = 1 + _choices(_list(schema.get("enum")))
        patterns = len(_dict(schema.get("patternProperties")))
        if isinstance(value, str) and "pattern" in schema:
            count += self._per_character * len(value)
        elif patterns and isinstance(value, dict):
            count += self._per_character * patterns * sum(map(len, _dict(value)))
        return count

    def _parts(self, schema: Schema) -> Iterator[Any]:
        for name in LISTED:
            yield from _list(schema.get(name))
        for name in SINGLE:
            yield schema.get(name)
        for name in NAMED:
            yield from _dict(schema.get(name)).values()
        for name in REFERENCES:
            if isinstance(reference := schema.get(name), str):
                yield from self._targets(reference)

    def _targets(self, reference: str) -> list[Any]:
        """Return every part of the schema that a reference may mean; bases are not told apart."""
        document, _, fragment = reference.partition("#")
        if fragment and not fragment.startswith("/"):
            found: list[Any] = self._anchors.get(fragment, [])
        else:
            pointers = (_pointed(resource, fragment) for resource in self._resources if _may_be(resource, document))
            found = [part for part in pointers if part is not None]
        if not found:
            raise UnknownReferenceError
        return found

    def _name(self, part: Schema) -> None:
        for name in ("$id", "id"):
            if isinstance(identifier := part.get(name), str):
                if identifier.startswith("#"):
                    self._anchors.setdefault(identifier[1:], []).append(part)
                elif part is not self._root:
                    self._resources.append(part)
        for name in ("$anchor", "$dynamicAnchor"):
            if isinstance(anchor := part.get(name), str):
                self._anchors.setdefault(anchor, []).append(part)


def _within_bounds(count: int) -> int:
    if count > MAX_STEPS:
        raise TooManyStepsError
    return count


def _schemas(schema: Schema) -> Iterator[Schema]:
    """Yield a schema and all that may be one in it, but not what is data."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        yield part
        for name, value in part.items():
            if name in MAPS:
                waiting += filter(None, map(_dict, _dict(value).values()))
            elif name not in DATA:
                waiting += filter(None, map(_dict, [value, *_list(value)]))


def _may_be(resource: Schema, document: str) -> bool:
    """Return whether a resource may have the address of a document, which is relative to a base or not."""
    identifier = str(resource.get("$id", resource.get("id", "")))
    return identifier.rstrip("#").endswith(document.rsplit("/", 1)[-1])


def _patterns(schema: Schema) -> int:
    return ("pattern" in schema) + len(_dict(schema.get("patternProperties")))


def _choices(values: list[Any]) -> int:
    """Return the steps of looking a value up: strings alone are hashed, numbers of unlike types compared at length."""
    return 1 if all(isinstance(value, str) for value in values) else 4 * len(values)


def _pointed(resource: Any, pointer: str) -> Any:
    for token in unquote(pointer).split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        members = _dict(resource) or {str(index): item for index, item in enumerate(_list(resource))}
        resource = members.get(name)
    return resource


def _descents(schema: Schema, value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the subschemas for what is inside of `value`, with that."""
    if isinstance(value, dict):
        yield from _into_object(schema, _dict(value))
    elif isinstance(value, list):
        yield from _into_array(schema, _list(value))


def _into_object(schema: Schema, value: Schema) -> Iterator[tuple[Any, Any]]:
    properties = _dict(schema.get("properties"))
    names = schema.get("propertyNames")
    others = [*_dict(schema.get("patternProperties")).values(), *filter(None, map(schema.get, OF_OTHER_KEYS))]
    for key, child in value.items():
        if names is not None:
            yield names, key
        if key in properties:
            yield properties[key], child
        for other in others:
            yield other, child


def _into_array(schema: Schema, value: list[Any]) -> Iterator[tuple[Any, Any]]:
    for name in ("prefixItems", "items"):
        yield from zip(_list(schema.get(name)), value, strict=False)
    for name in OF_ALL_ITEMS:
        if isinstance(part := schema.get(name), dict):
            for child in value:
                yield part, child


def _list(value: Any) -> list[Any]:
    return [*cast("Iterable[Any]", value)] if isinstance(value, list) else []


def _dict(value: Any) -> Schema:
    return cast("Schema", value) if isinstance(value, dict) else {}
