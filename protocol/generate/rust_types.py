"""The types of the Rust client."""

from collections.abc import Iterator
from typing import Final

from protocol.generate.model import (
    Alias,
    Choice,
    Declaration,
    Enumeration,
    Protocol,
    Record,
    Ref,
    Union,
)
from protocol.generate.reach import reached
from protocol.generate.rust_enumerations import choice, enumeration, events, union
from protocol.generate.rust_records import Records
from protocol.generate.rust_text import GENERATED, comment, type_name

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
        self._enumerated = dict(_enumerated_defaults(protocol))
        asked = reached(protocol, (method.params for method in protocol.methods))
        written = {ERROR, *(declaration.name for declaration in asked)}
        self._records = Records(protocol, self._enumerated, written - {EMPTY_PARAMS})

    def text(self) -> str:
        blocks = [block for declaration in self._protocol.declarations for block in self._declaration(declaration)]
        blocks.append(events(self._deltas()))
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
        return "\n".join([*head, *blocks, self._records.default_values()])

    def _declaration(self, declaration: Declaration) -> Iterator[str]:
        match declaration:
            case Record():
                yield from self._records.write(declaration)
            case Enumeration():
                yield enumeration(declaration, self._enumerated.get(declaration.name))
            case Union():
                yield union(declaration)
            case Choice():
                yield from choice(self._protocol, declaration)
            case Alias(secret=False):
                yield f"{comment(declaration.doc)}pub type {declaration.name} = {type_name(declaration.type)};\n"
            case Alias():
                return

    def _deltas(self) -> Union:
        deltas = self._protocol.find(DELTA)
        assert isinstance(deltas, Union)
        return deltas


def _enumerated_defaults(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Yield the enumerations that have one text as default wherever they have any."""
    found: dict[str, set[str]] = {}
    for declaration in protocol.declarations:
        for field in declaration.fields if isinstance(declaration, Record) else ():
            if isinstance(field.type, Ref) and isinstance(field.default, str):
                found.setdefault(field.type.name, set()).add(field.default)
    for name, (default,) in found.items():
        yield name, default
