"""Records as structs of Rust: what serde must know of their members, and how a host makes one."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import UNSET

from protocol.generate import naming
from protocol.generate.model import Alias, Choice, Field, List, Map, Plain, Protocol, Record, Ref, Type, Union
from protocol.generate.rust_text import block, comment, constant, constructor, indented, literal, serde, type_name

EMPTY: Final[tuple[Any, ...]] = ("", 0, False, [], {})
MEMBERS: Final = {"type": "kind"}
"""Members that are keywords of Rust, and their names there."""


class Records:
    """Writes the records of a protocol.

    `enumerated` holds the default of each enumeration that has one; the records in `written` get a constructor and
    setters.
    """

    def __init__(self, protocol: Protocol, enumerated: dict[str, str], written: set[str]) -> None:
        self._protocol = protocol
        self._enumerated = enumerated
        self._written = written
        self._defaults: dict[str, tuple[str, Any]] = {}

    def write(self, record: Record) -> Iterator[str]:
        """Yield the struct, and what makes one."""
        yield self._struct(record)
        if not any(field.required for field in record.fields) and not self._derives_default(record):
            yield _default(record.name, self._initial(record))
        if record.name in self._written:
            yield self._constructor(record)

    def default_values(self) -> str:
        """Return the defaults, other than those of Rust, of the members of all records written so far."""
        lines = (f"    {name}: {kind} = {constant(value)};\n" for name, (kind, value) in sorted(self._defaults.items()))
        return f"defaults! {{\n{''.join(lines)}}}\n"

    def _struct(self, record: Record) -> str:
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
        yield f"    pub {name}: {_member_type(field)},\n"

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
        self._defaults[module] = (_member_type(field), field.default)
        return module

    def _has_own_default(self, field: Field) -> bool:
        if isinstance(field.type, Ref):
            return bool(self._enumerated.get(field.type.name) == field.default)
        return any(field.default == empty and type(field.default) is type(empty) for empty in EMPTY)

    def _derives_default(self, record: Record) -> bool:
        return all(
            not field.required and (_is_option(field) or self._has_own_default(field)) for field in record.fields
        )

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
        name = type_name(kind)
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


def _member_type(field: Field) -> str:
    kind = type_name(field.type)
    if field.tristate:
        return f"Option<Option<{kind}>>"
    return f"Option<{kind}>" if _is_option(field) else kind


def _is_option(field: Field) -> bool:
    return field.nullable or (not field.required and field.default is UNSET)


def _member_name(field: Field) -> str:
    name = naming.snake(field.name)
    return MEMBERS.get(name, name)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _default(name: str, expression: Iterable[str]) -> str:
    return block(
        f"impl Default for {name} {{",
        ["fn default() -> Self {", *indented(expression), "}"],
    )
