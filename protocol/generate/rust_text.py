"""Pieces of Rust, laid out as rustfmt does it."""

from collections.abc import Iterable
from typing import Any, Final

from protocol.generate import naming
from protocol.generate.model import List, Map, Plain, Ref, Type

GENERATED: Final = "// Generated from the protocol by `make protocol`; changes here are lost.\n"
WIDTH: Final = 120
"""As in the crate's rustfmt.toml."""
PLAIN: Final = {"string": "String", "integer": "i64", "number": "f64", "boolean": "bool", "object": "Object"}


def documented(doc: str) -> list[str]:
    """Return a description as lines of a doc comment."""
    return [f"/// {line}".rstrip() for line in naming.lines(doc, WIDTH - 8)]


def comment(doc: str) -> str:
    """Return a description as a doc comment."""
    return "".join(f"{line}\n" for line in documented(doc))


def indented(lines: Iterable[str]) -> list[str]:
    """Return lines one step further to the right."""
    return [f"    {line}".rstrip() for line in lines]


def block(head: str, lines: Iterable[str]) -> str:
    """Return what stands between a head, which opens a brace, and its end."""
    return "\n".join([head, *indented(lines), "}", ""])


def literal(name: str, members: list[str], indent: int) -> list[str]:
    """Return the value of a struct, on one line where rustfmt has it so."""
    line = f"{name} {{ {', '.join(members)} }}"
    if indent + len(line) <= WIDTH:
        return [line]
    return [f"{name} {{", *(f"    {member}," for member in members), "}"]


def constructor(name: str, parameters: list[str]) -> list[str]:
    """Return the first lines of a constructor, as rustfmt breaks them."""
    line = f"pub fn {name}({', '.join(parameters)}) -> Self {{"
    if len(line) + 4 <= WIDTH:
        return [line]
    return [f"pub fn {name}(", *(f"    {parameter}," for parameter in parameters), ") -> Self {"]


def serde(attribute: str) -> list[str]:
    """Return an attribute of a member, broken where it is too long."""
    line = f"    #[serde({attribute})]\n"
    if len(line) <= WIDTH:
        return [line]
    parts = attribute.replace(", ", ",\n        ")
    return [f"    #[serde(\n        {parts}\n    )]\n"]


def constant(value: Any) -> str:
    """Return a text, number or truth as Rust writes it."""
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def type_name(kind: Type) -> str:
    """Return a type as Rust has it."""
    match kind:
        case Plain(plain):
            return PLAIN[plain]
        case List(of):
            return f"Vec<{type_name(of)}>"
        case Map(of):
            return f"BTreeMap<String, {type_name(of)}>"
        case Ref(name):
            return name
