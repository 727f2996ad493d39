"""What the Rust client has as enumerations: those of the protocol, its unions and its choices."""

from collections.abc import Iterable, Iterator
from typing import Final

from protocol.generate import naming
from protocol.generate.model import Choice, Declaration, Enumeration, List, Plain, Protocol, Record, Ref, Type, Union
from protocol.generate.rust_text import block, documented, indented, type_name

VALUES: Final = {"1h": "OneHour", "5m": "FiveMinutes"}
"""Values that are no names, and their names in Rust."""
FIRST: Final = {"string": "b'\"'", "integer": "b'-' | b'0'..=b'9'", "array": "b'['", "object": "b'{'"}
"""The patterns that match the first byte of a JSON text."""


def enumeration(declared: Enumeration, default: str | None) -> str:
    """Return an enumeration, whose default is one of its values or none."""
    arms = [f'{"#[default] " if value == default else ""}{_variant(value)} = "{value}",' for value in declared.values]
    head = ["#[derive(Default)]"] if default else []
    opening = f"{_openness(declared)} {declared.name} {{"
    return _invocation("enumeration", [*documented(declared.doc), *head, opening], arms)


def _variant(value: str) -> str:
    return VALUES.get(value) or naming.pascal(value)


def union(declared: Union) -> str:
    """Return a union, whose arms are told apart by their tag."""
    arms = [f'"{tag}" => {naming.pascal(tag)}({record}),' for tag, record in declared.arms]
    opening = f'{_openness(declared)} {declared.name} by "{declared.field}" {{'
    return _invocation("union", [*documented(declared.doc), opening], arms)


def _openness(declaration: Enumeration | Union) -> str:
    return "open" if declaration.open else "closed"


def choice(protocol: Protocol, declared: Choice) -> Iterator[str]:
    """Yield any of several types, told apart by how their JSON begins, and what makes one of a text."""
    arms = [_option(protocol, declared, option) for option in declared.options]
    yield _invocation("choice", [*documented(declared.doc), f"{declared.name} {{"], arms)
    if Plain("string") in declared.options:
        yield _from_str(declared.name)


def _option(protocol: Protocol, declared: Choice, option: Type) -> str:
    match option:
        case Plain("string"):
            return f"{FIRST['string']} => Text(String),"
        case Plain("integer"):
            return f"{FIRST['integer']} => Number(i64),"
        case List():
            return f"{FIRST['array']} => Parts({type_name(option)}),"
        case Ref(name):
            return _named_option(declared, protocol.find(name))
        case _:
            raise ValueError(f"{declared.name}: no arm is known for {option}")


def _named_option(declared: Choice, option: Declaration) -> str:
    match option:
        case Enumeration(name=name):
            return f"{FIRST['string']} => {name.removeprefix(declared.name)}({name}),"
        case Record(name=name, tag=tag) if tag:
            return f'{FIRST["object"]} => Named({name}) by "{tag.field}" "{tag.value}",'
        case _:
            raise ValueError(f"{declared.name}: no arm is known for {option.name}")


def _from_str(name: str) -> str:
    return block(
        f"impl From<&str> for {name} {{",
        ["fn from(text: &str) -> Self {", "    Self::Text(text.to_owned())", "}"],
    )


def events(delta: Union) -> str:
    """Return what a stream consists of: the deltas, and the statuses among them."""
    arms = [f"{naming.pascal(tag)}({record})," for tag, record in delta.arms]
    return block("events! {", arms)


def _invocation(macro: str, head: list[str], arms: Iterable[str]) -> str:
    return block(f"{macro}! {{", [*head, *indented(arms), "}"])
