"""Samples at the boundaries of each type; `protocol/samples/README.md` says what they are for."""

import json
from collections.abc import Iterator
from typing import Any, Final

from msgspec import UNSET

from protocol.generate.model import (
    FOLDER,
    Alias,
    Choice,
    Declaration,
    Enumeration,
    Field,
    List,
    Map,
    Plain,
    Protocol,
    Record,
    Ref,
    Type,
    Union,
)

Sample = tuple[str, Any]
"""The path of a file below its type's folder, without the suffix, and the value there."""

UNKNOWN: Final = "x-unknown"
TEXT: Final = 'a "text" \\ \u0001\t\n\x7f\u2028 é 𝄞'
OBJECT: Final = {"": None, "list": [1, -0.5, True, "text", [], {}], "nested": {"type": "text", "null": None}}
UNKNOWN_ARM: Final = {"index": "no number", "text": None, "nested": OBJECT}
LEAST: Final[dict[str, Any]] = {"integer": 0, "number": 0, "boolean": False, "object": {}}
OF_ANOTHER_TYPE: Final[dict[str, Any]] = {"string": 5, "integer": "5", "number": "0.5", "boolean": 1, "object": []}


def files(protocol: Protocol) -> dict[str, str]:
    """Return the generated samples, by their paths in the repository."""
    schemas = json.loads((FOLDER / "schema.json").read_bytes())["$defs"]
    values = _Values({declaration.name: declaration for declaration in protocol.declarations}, schemas)
    return {
        f"protocol/samples/{declaration.name}/{path}.json": json.dumps(value, ensure_ascii=False, indent=2) + "\n"
        for declaration in protocol.declarations
        if _has_folder(declaration, schemas)
        for path, value in _samples(declaration, values)
    }


def _has_folder(declaration: Declaration, schemas: dict[str, Any]) -> bool:
    """Tell whether values of the type stand alone; an arm's are sampled in its union, where their tag is written."""
    part = isinstance(declaration, Alias) or (isinstance(declaration, Record) and declaration.tag)
    return declaration.name in schemas and not part


def _samples(declaration: Declaration, values: "_Values") -> Iterator[Sample]:
    match declaration:
        case Record():
            yield from _of_record(declaration, "boundary", values)
        case Union():
            yield from _of_union(declaration, values)
        case Enumeration():
            yield from _of_enumeration(declaration)
        case Choice():
            for number, option in enumerate(declaration.options):
                yield f"valid/boundary-{number}", values.full(option)
            yield "invalid/wrong-type-boundary", True


def _of_record(record: Record, prefix: str, values: "_Values") -> Iterator[Sample]:
    minimal = values.minimal(record)
    yield f"valid/{prefix}-minimal", minimal
    full, lowest = values.record(record, "maximum"), values.record(record, "minimum")
    if full != minimal:
        yield f"valid/{prefix}-full", full
    if lowest != full:
        yield f"valid/{prefix}-lowest", lowest
    for field, value in values.rare(record):
        yield f"valid/{prefix}-{field.name}-{value}", minimal | {field.name: value}
    required = [field for field in record.fields if field.required]
    for field in [field for field in required if not field.nullable][-1:]:
        yield f"invalid/missing-{prefix}-{field.name}", {k: v for k, v in minimal.items() if k != field.name}
    for field in () if record.tag else (required or record.fields)[:1]:
        yield f"invalid/wrong-type-{prefix}-{field.name}", minimal | {field.name: values.other(field.type)}


def _of_union(union: Union, values: "_Values") -> Iterator[Sample]:
    for tag, arm in union.arms:
        yield from _of_record(values.find(arm), f"boundary-{tag}", values)
    unknown = {union.field: UNKNOWN} | UNKNOWN_ARM
    yield ("valid/boundary-unknown" if union.open else "invalid/closed-boundary-unknown"), unknown
    yield "invalid/missing-boundary-tag", {}
    yield "invalid/wrong-type-boundary-tag", {union.field: 5}


def _of_enumeration(enumeration: Enumeration) -> Iterator[Sample]:
    for value in enumeration.values[:1] if enumeration.open else enumeration.values:
        yield f"valid/boundary-{value}", value
    yield ("valid/boundary-unknown" if enumeration.open else "invalid/closed-boundary-unknown"), UNKNOWN
    yield "invalid/wrong-type-boundary", 5


class _Values:
    """Makes values of declared types: with as little in them as may be, or as much."""

    def __init__(self, declared: dict[str, Declaration], schemas: dict[str, Any]) -> None:
        self._declared = declared
        self._schemas = schemas

    def find(self, name: str) -> Any:
        return self._declared[name]

    def rare(self, record: Record) -> Iterator[tuple[Field, str]]:
        """Yield the members that are closed enumerations without a folder of their own, with each value."""
        for field in record.fields:
            declared = self._declared[field.type.name] if isinstance(field.type, Ref) else None
            if isinstance(declared, Enumeration) and declared.name not in self._schemas:
                yield from ((field, value) for value in declared.values if value != field.default)

    def minimal(self, record: Record) -> dict[str, Any]:
        """Return the record with its required members alone."""
        required = (field for field in record.fields if field.required)
        return _tag(record) | {
            field.name: None if field.nullable else self._least(field.type, self._schema(record, field))
            for field in required
        }

    def record(self, record: Record, bound: str) -> dict[str, Any]:
        """Return the record with all members, none at its default, and integers at the `minimum` or `maximum`."""
        return _tag(record) | {field.name: self._member(record, field, bound) for field in record.fields}

    def _member(self, record: Record, field: Field, bound: str) -> Any:
        schema = self._schema(record, field)
        if field.type == Plain("integer"):
            return schema[bound]
        return schema["examples"][0] if "examples" in schema else self.full(field.type, field.default, bound)

    def full(self, kind: Type, default: Any = UNSET, bound: str = "maximum") -> Any:
        """Return a value other than `default`."""
        match kind:
            case List(inner):
                return self._each(inner, bound)
            case Map(inner):
                return {"": self.full(inner, bound=bound), TEXT: self.full(inner, bound=bound)}
            case Ref(name):
                return self._declared_value(self._declared[name], default, bound)
            case Plain("integer"):
                return -(2**53 - 1) if bound == "minimum" else 2**53 - 1
        return {"string": TEXT, "number": 0.5, "boolean": default is not True, "object": OBJECT}[kind.kind]

    def other(self, kind: Type) -> Any:
        """Return a value of another JSON type."""
        return OF_ANOTHER_TYPE[kind.kind] if isinstance(kind, Plain) else True

    def _declared_value(self, declaration: Declaration, default: Any, bound: str) -> Any:
        match declaration:
            case Record():
                return self.record(declaration, bound)
            case Union():
                return self.record(self.find(declaration.arms[0][1]), bound)
            case Enumeration():
                return next(value for value in declaration.values if value != default)
            case Choice():
                return self.full(declaration.options[-1], bound=bound)
        return self.full(declaration.type, bound=bound)

    def _each(self, kind: Type, bound: str) -> list[Any]:
        """Return a list with each arm of a union, and each value of an enumeration."""
        match self._declared[kind.name] if isinstance(kind, Ref) else None:
            case Union(arms=arms):
                return [self.record(self.find(arm), bound) for _, arm in arms]
            case Enumeration(values=values):
                return list(values)
        return [self.full(kind, bound=bound)]

    def _least(self, kind: Type, schema: dict[str, Any]) -> Any:
        match kind:
            case Plain("string"):
                return schema.get("examples", ["x" * schema.get("minLength", 0)])[0]
            case Plain(name):
                return LEAST[name]
            case List(inner):
                return [self._least(inner, {}) for _ in range(schema.get("minItems", 0))]
            case Map():
                return {}
        return self._least_declared(self._declared[kind.name])

    def _least_declared(self, declaration: Declaration) -> Any:
        match declaration:
            case Record():
                return self.minimal(declaration)
            case Union(arms=[(_, arm), *_]):
                return self.minimal(self.find(arm))
            case Enumeration(values=[value, *_]):
                return value
            case Choice(options=[kind, *_]) | Alias(type=kind):
                return self._least(kind, {})
        raise ValueError(f"{declaration.name}: nothing is there to choose from")

    def _schema(self, record: Record, field: Field) -> dict[str, Any]:
        """Return what the schema says of a member where it is not null."""
        schema: dict[str, Any] = self._schemas[record.name]["properties"][field.name]
        options: list[dict[str, Any]] = schema.get("anyOf", [{}])
        return schema | options[0]


def _tag(record: Record) -> dict[str, str]:
    return {record.tag.field: record.tag.value} if record.tag else {}
