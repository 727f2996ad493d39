"""The types and methods of the Rust client."""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from protocol.generate import naming, rust_types
from protocol.generate.model import Alias, Error, Method, Protocol
from protocol.generate.rust_text import GENERATED, block, documented, indented, literal
from protocol.generate.rust_types import EMPTY_PARAMS

SOURCE: Final = "clients/rust/src"
TESTS: Final = "clients/rust/tests"
STREAMING: Final = "chat.stream"
"""The method that is written by hand, as it gives a stream."""


def files(protocol: Protocol) -> dict[str, str]:
    """Return the generated files, by their paths in the repository."""
    return {
        f"{SOURCE}/protocol.rs": rust_types.text(protocol),
        f"{SOURCE}/methods.rs": _methods(protocol),
        f"{SOURCE}/errors.rs": _errors(protocol.errors),
        f"{TESTS}/recode/mod.rs": _recoding(protocol),
    }


def _methods(protocol: Protocol) -> str:
    """Return the namespaces and their methods; the handshake and the end are the client's own."""
    spaces = [
        (space, list(methods)) for space, methods in groupby(protocol.methods, lambda method: method.namespace) if space
    ]
    return "\n".join(
        [
            GENERATED,
            "//! The methods of the protocol, by their namespaces.\n",
            "use crate::error::Error;",
            "use crate::protocol::*;",
            "use crate::sidecar::Sidecar;\n",
            _table(protocol.methods),
            block("impl Sidecar {", _joined(_entrance(space) for space, _ in spaces)),
            *(_namespace(space, methods) for space, methods in spaces),
        ]
    )


def _table(methods: tuple[Method, ...]) -> str:
    names = "".join(f'    "{method.name}",\n' for method in methods)
    return f"/// Every method of the protocol.\npub const METHODS: &[&str] = &[\n{names}];\n"


def _entrance(space: str) -> list[str]:
    name = naming.pascal(space)
    return [
        f"/// The methods `{space}.*`.",
        f"pub fn {space}(&self) -> {name}<'_> {{",
        f"    {name} {{ sidecar: self }}",
        "}",
    ]


def _namespace(space: str, methods: list[Method]) -> str:
    name = naming.pascal(space)
    struct = (
        f"/// The methods `{space}.*`.\n#[derive(Clone, Copy, Debug)]\npub struct {name}<'a> {{\n"
        "    pub(crate) sidecar: &'a Sidecar,\n}\n\n"
    )
    functions = (_function(method) for method in methods if method.name != STREAMING)
    return struct + block(f"impl {name}<'_> {{", _joined(functions))


def _function(method: Method) -> list[str]:
    takes = method.params != EMPTY_PARAMS
    parameter = f", params: {method.params}" if takes else ""
    value = "&params" if takes else f"&{EMPTY_PARAMS} {{}}"
    return [
        *documented(method.doc),
        f"pub async fn {method.member}(self{parameter}) -> Result<{method.result}, Error> {{",
        f'    self.sidecar.call("{method.name}", {value}).await',
        "}",
    ]


def _joined(functions: Iterable[list[str]]) -> list[str]:
    return [line for function in functions for line in ["", *function]][1:]


def _errors(errors: tuple[Error, ...]) -> str:
    rows = "".join(f"    {row}\n" for error in errors for row in _row(error))
    return "\n".join(
        [
            GENERATED,
            "//! The errors of the protocol.\n",
            "use crate::error::ErrorRow;\n",
            f"/// Every error type that version 1 knows.\npub const ERRORS: &[ErrorRow] = &[\n{rows}];\n",
        ]
    )


def _row(error: Error) -> list[str]:
    members = [
        f'kind: "{error.type}"',
        f"code: {error.code}",
        f'category: "{error.category}"',
        f"retryable: {str(error.retryable).lower()}",
        f'meaning: "{error.doc}"',
    ]
    *lines, last = literal("ErrorRow", members, indent=5)
    return [*lines, f"{last},"]


def _recoding(protocol: Protocol) -> str:
    """Return, for the tests, a function that decodes and encodes a value of the type with a name."""
    names = [item.name for item in protocol.declarations if not isinstance(item, Alias)]
    arms = [f'"{name}" => recode::<{name}>(json),' for name in names]
    return "\n".join(
        [
            GENERATED,
            "use llm_sidecar_client::protocol::*;",
            "use serde::{de::DeserializeOwned, Serialize};\n",
            "/// Decodes a value of a type of the protocol, and encodes it again.",
            block(
                "pub fn by_name(name: &str, json: &str) -> serde_json::Result<String> {",
                ["match name {", *indented([*arms, '_ => panic!("no type {name}"),']), "}"],
            ),
            block(
                "fn recode<T: DeserializeOwned + Serialize>(json: &str) -> serde_json::Result<String> {",
                ["serde_json::to_string(&serde_json::from_str::<T>(json)?)"],
            ),
        ]
    )
