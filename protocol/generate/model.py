"""The protocol as the generators of clients see it: what `schema.json` and `openrpc.json` declare, in few words."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

from msgspec import UNSET, Struct

from protocol.generate.naming import pascal

FOLDER: Final = Path(__file__).parents[1]
ENVELOPES: Final = frozenset({"Request", "Notification", "Reply", "ErrorReply"})
"""What carries the types; each client has its own way of reading these."""
ID_TYPES: Final = ["string", "integer"]

Schema = dict[str, Any]


class Plain(Struct, frozen=True):
    """A JSON type. An `object` is any JSON object, to be left as it is."""

    kind: Literal["string", "integer", "number", "boolean", "object"]


class Ref(Struct, frozen=True):
    """What is declared under this name."""

    name: str


class List(Struct, frozen=True):
    """An array."""

    of: "Type"


class Map(Struct, frozen=True):
    """An object with any members, all of one type."""

    of: "Type"


Type = Plain | Ref | List | Map


class Field(Struct, frozen=True):
    """A member of an object.

    `default` is what its absence means: null too, where it stands for "nothing". Where it is UNSET and the member is
    not required, absence means that it is not there; if it is `nullable` as well, absent and null are two things.
    """

    name: str
    type: Type
    required: bool
    nullable: bool
    default: Any = UNSET

    @property
    def tristate(self) -> bool:
        return self.nullable and not self.required and self.default is UNSET


class Tag(Struct, frozen=True):
    """The member that tells which arm of a union an object is, and its value there. It is not among the fields."""

    field: str
    value: str


class Record(Struct, frozen=True):
    """An object with known members; others may come, and are ignored."""

    name: str
    doc: str
    fields: tuple[Field, ...]
    tag: Tag | None = None


class Enumeration(Struct, frozen=True):
    """One of some texts. Where it is `open`, others may come, and must be accepted."""

    name: str
    doc: str
    values: tuple[str, ...]
    open: bool


class Union(Struct, frozen=True):
    """One of some records, told apart by their tags. Where it is `open`, others may come, and must be accepted."""

    name: str
    doc: str
    field: str
    arms: tuple[tuple[str, str], ...]
    """The tag's value and the name of the record, in the order of the schema."""
    open: bool


class Choice(Struct, frozen=True):
    """One of some types that JSON itself tells apart, such as a text or an array."""

    name: str
    doc: str
    options: tuple[Type, ...]


class Alias(Struct, frozen=True):
    """Another name for a type; a `secret` is not to be shown in logs."""

    name: str
    doc: str
    type: Type
    secret: bool = False


Declaration = Record | Enumeration | Union | Choice | Alias


class Method(Struct, frozen=True):
    """A request: `name` is `NAMESPACE.MEMBER`, or a single word; `params` and `result` are names of records."""

    name: str
    doc: str
    params: str
    result: str
    errors: tuple[str, ...]

    @property
    def namespace(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def member(self) -> str:
        return self.name.rpartition(".")[2]


class Notification(Struct, frozen=True):
    """A message without a reply, and which way it goes."""

    name: str
    doc: str
    params: str
    direction: Literal["client_to_server", "server_to_client"]


class Error(Struct, frozen=True):
    """An error type: what `error.data.type` holds."""

    type: str
    doc: str
    code: int
    category: str
    retryable: bool


class Protocol(Struct, frozen=True):
    """All of it. Declarations are in alphabetical order."""

    version: int
    declarations: tuple[Declaration, ...]
    methods: tuple[Method, ...]
    notifications: tuple[Notification, ...]
    errors: tuple[Error, ...]

    def find(self, name: str) -> Declaration:
        return next(declaration for declaration in self.declarations if declaration.name == name)


def read(folder: Path = FOLDER) -> Protocol:
    """Return the protocol that the documents in `folder` describe."""
    schema, openrpc, meta = (
        json.loads((folder / f"{name}.json").read_bytes()) for name in ("schema", "openrpc", "meta")
    )
    return Protocol(
        version=meta["protocol_version"],
        declarations=declarations(schema["$defs"]),
        methods=tuple(_method(method, meta) for method in openrpc["methods"]),
        notifications=tuple(
            Notification(row["name"], row["summary"], row["params"], row["direction"]) for row in meta["notifications"]
        ),
        errors=tuple(
            Error(row["type"], row["meaning"], row["code"], row["category"], row["retryable"])
            for row in meta["error_types"]
        ),
    )


def _method(method: Schema, meta: Schema) -> Method:
    row = next(row for row in meta["methods"] if row["name"] == method["name"])
    return Method(row["name"], row["summary"], row["params"], row["result"], tuple(row["errors"]))


def declarations(schemas: dict[str, Schema]) -> tuple[Declaration, ...]:
    """Return what the definitions declare; what has no name there is named after where it stands."""
    found = [
        declaration
        for name, schema in schemas.items()
        if name not in ENVELOPES
        for declaration in _Reader(name).declare(schema)
    ]
    return tuple(sorted(found, key=lambda declaration: declaration.name))


class _Reader:
    """Reads one definition; nested enumerations and choices become declarations of their own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nested: list[Declaration] = []

    def declare(self, schema: Schema) -> Iterator[Declaration]:
        yield self._declaration(schema)
        yield from self._nested

    def _declaration(self, schema: Schema) -> Declaration:
        name, doc = self._name, schema["description"]
        match schema:
            case {"discriminator": {"propertyName": field, "mapping": mapping}}:
                arms = tuple((value, _last(reference)) for value, reference in mapping.items())
                return Union(name, doc, field, arms, _open(schema))
            case {"enum": values}:
                return Enumeration(name, doc, tuple(values), _open(schema))
            case {"anyOf": options}:
                return Choice(name, doc, tuple(self._type(option, f"{name}Mode") for option in options))
            case {"type": types} if types == ID_TYPES:
                return Choice(name, doc, (Plain("string"), Plain("integer")))
            case {"type": "string"}:
                return Alias(name, doc, Plain("string"), secret=schema.get("writeOnly", False))
            case {"type": "object", "properties": properties}:
                return self._record(doc, properties, schema["required"])
        raise ValueError(f"{name}: no declaration is known for {json.dumps(schema)}")

    def _record(self, doc: str, properties: dict[str, Schema], required: list[str]) -> Record:
        tag = next((Tag(name, schema["const"]) for name, schema in properties.items() if "const" in schema), None)
        fields = (
            self._field(name, schema, name in required)
            for name, schema in properties.items()
            if tag is None or name != tag.field
        )
        return Record(self._name, doc, tuple(fields), tag)

    def _field(self, name: str, schema: Schema, required: bool) -> Field:  # noqa: FBT001 - as the schema has it
        options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
        nullable = len(options) < len(schema.get("anyOf", ()))
        inner = ({"anyOf": options} if len(options) > 1 else options[0]) if options else schema
        default = schema.get("default", UNSET)
        return Field(name, self._type(inner, self._name + pascal(name)), required, nullable, default)

    def _type(self, schema: Schema, name: str) -> Type:
        """Return the type; what would need a declaration gets one called `name`."""
        found: Type
        match schema:
            case {"$ref": reference}:
                found = Ref(_last(reference))
            case {"enum": values}:
                found = self._nest(Enumeration(name, self._where(name), tuple(values), _open(schema)))
            case {"anyOf": [{"type": "string"}, {"type": "integer"}]} if name.endswith("Id"):
                found = Ref("Id")
            case {"anyOf": options}:
                choices = tuple(self._type(option, name) for option in options)
                found = self._nest(Choice(name, self._where(name), choices))
            case {"type": "array", "items": items}:
                found = List(self._type(items, name))
            case {"additionalProperties": dict() as values}:
                found = Map(self._type(values, name))
            case {"type": "string" | "integer" | "number" | "boolean" | "object" as kind}:
                found = Plain(kind)
            case _:
                raise ValueError(f"{name}: no type is known for {json.dumps(schema)}")
        return found

    def _where(self, name: str) -> str:
        return f"What stands in `{self._name}` as its {name.removeprefix(self._name).lower()}."

    def _nest(self, declaration: Declaration) -> Ref:
        self._nested.append(declaration)
        return Ref(declaration.name)


def _open(schema: Schema) -> bool:
    return bool(schema.get("x-open", False))


def _last(reference: str) -> str:
    return reference.rpartition("/")[2]
