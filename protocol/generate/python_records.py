"""Records as frozen structs of Python: their members, and what is done with values that came from JSON."""

import json
import keyword
from collections.abc import Iterator
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
from protocol.generate.python_text import INDENT, call, constant, docstring

PLAIN: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict[str, Any]"}
SHARED_INTEGERS: Final = range(-5, 257)
"""Integers that are one object each."""


class Records:
    """Writes the records of a protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def write(self, record: Record) -> str:
        """Return the class of a record."""
        head = ["Struct", "frozen=True", "kw_only=True"]
        if not all(field.required for field in record.fields):
            head.append("omit_defaults=True")
        if record.tag:
            head += [] if record.tag.field == "type" else [f'tag_field="{record.tag.field}"']
            head.append(f'tag="{record.tag.value}"')
        lines = [call(f"class {record.name}", head, ":"), *docstring(record.doc)]
        if record.tag:
            lines += ["", f'{INDENT}{record.tag.field}: ClassVar[Literal["{record.tag.value}"]] = "{record.tag.value}"']
        lines += ["", *map(self._field, record.fields)] if record.fields else []
        return "\n".join([*lines, *self._post_init(record)]) + "\n"

    def type(self, type_: Type, *, wire: bool = False) -> str:
        """Return the annotation; on the `wire`, open unions are read in a second step."""
        match type_:
            case Plain(kind):
                return PLAIN[kind]
            case List(inner):
                return f"list[{self.type(inner, wire=wire)}]"
            case Map(inner):
                return f"dict[str, {self.type(inner, wire=wire)}]"
            case Ref(name):
                return self._name(name, self._protocol.find(name), wire=wire)

    def _name(self, name: str, declared: Declaration, *, wire: bool) -> str:
        match declared:
            case Alias(secret=True):
                return "str"
            case Union(open=True) if wire:
                return f"_{name}"
            case Choice(options=options) if wire and self._change(Ref(name)):
                return " | ".join(self.type(option, wire=True) for option in options)
        return name

    def _field(self, field: Field) -> str:
        name, type_ = _attribute(field.name), self.type(field.type, wire=True)
        if not field.required and field.default is UNSET:
            type_ += " | UnsetType"
        if field.nullable:
            type_ += " | None"
        default = "" if field.required else _default(field.default)
        if name != field.name:
            default = f"field({f'default={default}, ' if default else ''}name={json.dumps(field.name)})"
        return f"{INDENT}{name}: {type_}" + (f" = {default}" if default else "")

    def _post_init(self, record: Record) -> Iterator[str]:
        """Yield what is to be done with values as they came from JSON, or from whoever made them."""
        statements = [
            f'force_setattr(self, "{_attribute(field.name)}", {change}(self.{_attribute(field.name)}))'
            for field in record.fields
            if (change := self._change(field.type))
        ]
        if any(self._is_copied(field) for field in record.fields):
            statements.append("share_defaults(self)")
        if statements:
            yield from ("", f"{INDENT}def __post_init__(self) -> None:")
            yield from (INDENT * 2 + statement for statement in statements)

    def _change(self, type_: Type) -> str | None:
        match type_:
            case Ref("Secret") | Map(Ref("Secret")):
                return "hide"
            case List(inner):
                return self._change(inner) if isinstance(inner, Ref) else None
        match self._find(type_):
            case Union(name=name, open=True):
                return f"{constant(name)}.read"
            case Choice(options=options):
                return next((change for option in options if (change := self._change(option))), None)
        return None

    def _is_copied(self, field: Field) -> bool:
        """Tell whether a value that equals the default may be another object."""
        declared = self._find(field.type)
        if isinstance(declared, Enumeration) and not declared.open:
            return False
        is_text = isinstance(field.default, str) and field.default != ""
        return is_text or (type(field.default) is int and field.default not in SHARED_INTEGERS)

    def _find(self, type_: Type) -> Declaration | None:
        return self._protocol.find(type_.name) if isinstance(type_, Ref) else None


def _default(value: Any) -> str:
    return "UNSET" if value is UNSET else json.dumps(value) if isinstance(value, str) else repr(value)


def _attribute(name: str) -> str:
    words = naming.snake(name)
    return f"{words}_" if keyword.iskeyword(words) else words
