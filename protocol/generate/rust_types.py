"""The types of the Rust client: structs, enumerations, and what serde must know of them."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import UNSET

from protocol.generate import naming
from protocol.generate.model import (
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
from protocol.generate.rust_text import block, comment, constant, constructor, documented, indented, literal, serde

GENERATED: Final = "// Generated from the protocol by `make protocol`; changes here are lost.\n"
PLAIN: Final = {"string": "String", "integer": "i64", "number": "f64", "boolean": "bool", "object": "Object"}
EMPTY: Final[tuple[Any, ...]] = ("", 0, False, [], {})
MEMBERS: Final = {"type": "kind"}
"""Members that are keywords of Rust, and their names there."""
VALUES: Final = {"1h": "OneHour", "5m": "FiveMinutes"}
"""Values that are no names, and their names in Rust."""
FIRST: Final = {"string": "b'\"'", "integer": "b'-' | b'0'..=b'9'", "array": "b'['", "object": "b'{'"}
"""The patterns that match the first byte of a JSON text."""
EMPTY_PARAMS: Final = "Empty"
DELTA: Final = "Delta"
ERROR: Final = "ErrorData"
"""What the client itself makes, for its own errors."""


def text(protocol: Protocol) -> str:
    """Return the module of the types."""
    return _Types(protocol).text()


class _Types:
    """Writes the declarations; those that a host writes get a constructor and setters."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._defaults: dict[str, tuple[str, Any]] = {}
        self._enumerated = dict(_enumerated_defaults(protocol))
        self._written = {ERROR} | _reachable(protocol, (method.params for method in protocol.methods))

    def text(self) -> str:
        blocks = [block for declaration in self._protocol.declarations for block in self._declaration(declaration)]
        blocks.append(_events(self._deltas()))
        head = [
            GENERATED,
            "//! The types of the protocol.\n",
            "#![allow(missing_docs)] // of members: the types' own sentences explain them\n",
            "use std::collections::BTreeMap;\n",
            "use serde::{Deserialize, Serialize};\n",
            "use crate::declare::{choice, defaults, enumeration, union};",
            "use crate::event::events;",
            "use crate::raw::{Object, Secret};\n",
            f"/// The version of the protocol.\npub const PROTOCOL_VERSION: i64 = {self._protocol.version};\n",
        ]
        return "\n".join([*head, *blocks, self._default_values()])

    def _declaration(self, declaration: Declaration) -> Iterator[str]:
        match declaration:
            case Record():
                yield self._record(declaration)
                yield from self._construction(declaration)
            case Enumeration():
                yield _enumeration(declaration, self._enumerated.get(declaration.name))
            case Union():
                yield _union(declaration)
            case Choice():
                yield self._choice(declaration)
                if Plain("string") in declaration.options:
                    yield _from_str(declaration.name)
            case Alias(secret=False):
                yield f"{comment(declaration.doc)}pub type {declaration.name} = {self._type(declaration.type)};\n"
            case Alias():
                return

    def _record(self, record: Record) -> str:
        derives = ["Clone", "Debug", "PartialEq", "Serialize", "Deserialize"]
        if self._derives_default(record):
            derives.insert(2, "Default")
        tag = f'#[serde(tag = "{record.tag.field}", rename = "{record.tag.value}")]\n' if record.tag else ""
        members = "".join(line for field in record.fields for line in self._member(record, field))
        body = f" {{\n{members}}}\n" if members else " {}\n"
        head = f"{comment(record.doc)}#[derive({', '.join(derives)})]\n{tag}#[non_exhaustive]\n"
        return f"{head}pub struct {record.name}{body}"

    def _member(self, record: Record, field: Field) -> Iterator[str]:
        name = _member_name(field)
        if name != field.name:
            yield f'    #[serde(rename = "{field.name}")]\n'
        for attribute in self._attributes(record, field):
            yield from serde(attribute)
        yield f"    pub {name}: {self._member_type(field)},\n"

    def _attributes(self, record: Record, field: Field) -> Iterator[str]:
        """Yield what serde must know of a member that may be absent."""
        if field.required:
            return
        if _is_option(field):
            yield 'default, skip_serializing_if = "Option::is_none"'
            if field.default is UNSET:
                yield 'deserialize_with = "crate::declare::some"'
        elif self._has_own_default(field):
            yield 'default, skip_serializing_if = "crate::declare::is_default"'
        else:
            module = self._remember(record, field)
            yield f'default = "{module}::value", skip_serializing_if = "{module}::is"'

    def _remember(self, record: Record, field: Field) -> str:
        """Return the name of the module that knows what the member's absence means."""
        module = f"{_snake(record.name)}_{naming.snake(field.name)}"
        self._defaults[module] = (self._member_type(field), field.default)
        return module

    def _has_own_default(self, field: Field) -> bool:
        if isinstance(field.type, Ref):
            return bool(self._enumerated.get(field.type.name) == field.default)
        return any(field.default == empty and type(field.default) is type(empty) for empty in EMPTY)

    def _derives_default(self, record: Record) -> bool:
        return all(
            not field.required and (_is_option(field) or self._has_own_default(field)) for field in record.fields
        )

    def _default_values(self) -> str:
        lines = (f"    {name}: {kind} = {constant(value)};\n" for name, (kind, value) in sorted(self._defaults.items()))
        return f"defaults! {{\n{''.join(lines)}}}\n"

    def _construction(self, record: Record) -> Iterator[str]:
        if not any(field.required for field in record.fields) and not self._derives_default(record):
            yield _default(record.name, self._initial(record))
        if record.name in self._written and record.name != EMPTY_PARAMS:
            yield self._constructor(record)

    def _constructor(self, record: Record) -> str:
        required = [field for field in record.fields if field.required]
        parameters = [f"{_member_name(field)}: {self._argument(field.type)[0]}" for field in required]
        body = ["Self::default()"] if not required else self._initial(record)
        methods = [
            [
                f"/// Makes one with {'what is required' if required else 'nothing in it'}.",
                *constructor("new", parameters),
                *indented(body),
                "}",
            ],
            *(self._setter(field) for field in record.fields if not field.required),
        ]
        lines = [line for method in methods for line in ["", *method]][1:]
        return block(f"impl {record.name} {{", lines)

    def _initial(self, record: Record) -> list[str]:
        """Return the expression of a record that holds its required members and nothing else."""
        return literal("Self", [self._initial_member(record, field) for field in record.fields], indent=8)

    def _initial_member(self, record: Record, field: Field) -> str:
        name = _member_name(field)
        if field.required:
            value = self._argument(field.type)[1].format(name)
            return name if value == name else f"{name}: {value}"
        if _is_option(field):
            return f"{name}: None"
        if self._has_own_default(field):
            return f"{name}: Default::default()"
        return f"{name}: {self._remember(record, field)}::value()"

    def _setter(self, field: Field) -> list[str]:
        name = _member_name(field)
        kind, conversion = self._argument(field.type)
        value = conversion.format(name)
        return [
            f"/// Sets `{field.name}`.",
            f"pub fn {name}(mut self, {name}: {kind}) -> Self {{",
            f"    self.{name} = {f'Some({value})' if _is_option(field) else value};",
            "    self",
            "}",
        ]

    def _argument(self, kind: Type) -> tuple[str, str]:
        """Return the type of an argument for a member, and how it becomes the member."""
        name = self._type(kind)
        match kind:
            case Plain("string"):
                return "impl Into<String>", "{}.into()"
            case List(Plain("string")):
                return "impl IntoIterator<Item = impl Into<String>>", "{}.into_iter().map(Into::into).collect()"
            case List() | Map():
                return f"impl Into<{name}>", "{}.into()"
            case Ref(reference) if isinstance(self._protocol.find(reference), Union | Choice | Alias):
                return f"impl Into<{name}>", "{}.into()"
            case _:
                return name, "{}"

    def _choice(self, choice: Choice) -> str:
        arms = [self._option(choice, option) for option in choice.options]
        return _invocation("choice", [*documented(choice.doc), f"{choice.name} {{"], arms)

    def _option(self, choice: Choice, option: Type) -> str:
        match option:
            case Plain("string"):
                return f"{FIRST['string']} => Text(String),"
            case Plain("integer"):
                return f"{FIRST['integer']} => Number(i64),"
            case List():
                return f"{FIRST['array']} => Parts({self._type(option)}),"
            case Ref(name):
                return self._named_option(choice, self._protocol.find(name))
            case _:
                raise ValueError(f"{choice.name}: no arm is known for {option}")

    def _named_option(self, choice: Choice, option: Declaration) -> str:
        match option:
            case Enumeration(name=name):
                return f"{FIRST['string']} => {name.removeprefix(choice.name)}({name}),"
            case Record(name=name, tag=tag) if tag:
                return f'{FIRST["object"]} => Named({name}) by "{tag.field}" "{tag.value}",'
            case _:
                raise ValueError(f"{choice.name}: no arm is known for {option.name}")

    def _type(self, kind: Type) -> str:
        match kind:
            case Plain(plain):
                return PLAIN[plain]
            case List(of):
                return f"Vec<{self._type(of)}>"
            case Map(of):
                return f"BTreeMap<String, {self._type(of)}>"
            case Ref(name):
                return name

    def _member_type(self, field: Field) -> str:
        kind = self._type(field.type)
        if field.tristate:
            return f"Option<Option<{kind}>>"
        return f"Option<{kind}>" if _is_option(field) else kind

    def _deltas(self) -> Union:
        union = self._protocol.find(DELTA)
        assert isinstance(union, Union)
        return union


def _is_option(field: Field) -> bool:
    return field.nullable or (not field.required and field.default is UNSET)


def _member_name(field: Field) -> str:
    name = naming.snake(field.name)
    return MEMBERS.get(name, name)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _enumerated_defaults(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Yield the enumerations that have one text as default wherever they have any."""
    found: dict[str, set[str]] = {}
    for declaration in protocol.declarations:
        for field in declaration.fields if isinstance(declaration, Record) else ():
            if isinstance(field.type, Ref) and isinstance(field.default, str):
                found.setdefault(field.type.name, set()).add(field.default)
    for name, (default,) in found.items():
        yield name, default


def _reachable(protocol: Protocol, names: Iterable[str]) -> set[str]:
    """Return the names of all that the named declarations are made of, and their own."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        if (name := pending.pop()) not in found:
            found.add(name)
            pending += _parts(protocol.find(name))
    return found


def _parts(declaration: Declaration) -> list[str]:
    match declaration:
        case Record(fields=fields):
            return [name for field in fields for name in _named(field.type)]
        case Union(arms=arms):
            return [record for _, record in arms]
        case Choice(options=options):
            return [name for option in options for name in _named(option)]
        case _:
            return []


def _named(kind: Type) -> list[str]:
    match kind:
        case Ref(name):
            return [name]
        case List(of) | Map(of):
            return _named(of)
        case _:
            return []


def _enumeration(enumeration: Enumeration, default: str | None) -> str:
    arms = [
        f'{"#[default] " if value == default else ""}{_variant(value)} = "{value}",' for value in enumeration.values
    ]
    head = ["#[derive(Default)]"] if default else []
    opening = f"{_openness(enumeration)} {enumeration.name} {{"
    return _invocation("enumeration", [*documented(enumeration.doc), *head, opening], arms)


def _variant(value: str) -> str:
    return VALUES.get(value) or naming.pascal(value)


def _union(union: Union) -> str:
    arms = [f'"{tag}" => {naming.pascal(tag)}({record}),' for tag, record in union.arms]
    opening = f'{_openness(union)} {union.name} by "{union.field}" {{'
    return _invocation("union", [*documented(union.doc), opening], arms)


def _openness(declaration: Enumeration | Union) -> str:
    return "open" if declaration.open else "closed"


def _events(delta: Union) -> str:
    """Return what a stream consists of: the deltas, and the statuses among them."""
    arms = [f"{naming.pascal(tag)}({record})," for tag, record in delta.arms]
    return block("events! {", arms)


def _invocation(macro: str, head: list[str], arms: Iterable[str]) -> str:
    return block(f"{macro}! {{", [*head, *indented(arms), "}"])


def _default(name: str, expression: Iterable[str]) -> str:
    return block(
        f"impl Default for {name} {{",
        ["fn default() -> Self {", *indented(expression), "}"],
    )


def _from_str(name: str) -> str:
    return block(
        f"impl From<&str> for {name} {{",
        ["fn from(text: &str) -> Self {", "    Self::Text(text.to_owned())", "}"],
    )
