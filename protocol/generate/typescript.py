"""The types and methods of the TypeScript client."""

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Final

from protocol.generate import naming, typescript_shapes
from protocol.generate.model import (
    Alias,
    Choice,
    Declaration,
    Enumeration,
    Field,
    List,
    Map,
    Method,
    Plain,
    Protocol,
    Record,
    Ref,
    Type,
    Union,
)

SOURCE: Final = "clients/typescript/src"
HEAD: Final = "// Generated from protocol/ by `make protocol`; changes made here are lost.\n"
WIDTH: Final = 120
TYPES: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "object": "JsonObject",
}
WRITTEN_BY_HAND: Final = frozenset({"initialize", "shutdown", "chat.stream"})
"""Methods that the client calls by itself, or in a way of its own."""

TYPES_PRELUDE: Final = """
/** The version of the protocol that the client speaks. */
export const PROTOCOL_VERSION = {version};

/** Any JSON object. */
export type JsonObject = Record<string, unknown>;

/**
 * The tag of an arm that this version of the client does not know: any other text. The tags of known arms are told
 * apart from it, so that a comparison narrows a union to one arm, and `default` is what is unknown.
 */
export declare enum UnknownTag {{
  other = "",
}}
"""

METHODS_PRELUDE: Final = """
/** What every call takes besides its params. */
export interface CallOptions {
  /** Cancels the call. */
  signal?: AbortSignal | undefined;
}

/** Calls a method; the namespaces are made of it. */
export type Call = <Name extends keyof Methods>(
  method: Name,
  params: Methods[Name]["params"],
  options: CallOptions | undefined,
) => Promise<Methods[Name]["result"]>;
"""


def files(protocol: Protocol) -> dict[str, str]:
    """Return the generated files, by their paths in the repository."""
    return {
        f"{SOURCE}/protocol.ts": _protocol(protocol),
        f"{SOURCE}/methods.ts": _methods(protocol),
        f"{SOURCE}/shapes.ts": HEAD + typescript_shapes.content(protocol),
    }


def _comment(doc: str, indent: str = "") -> str:
    if len(line := f"{indent}/** {doc} */") <= WIDTH and "\n" not in doc:
        return f"{line}\n"
    body = (f"{indent} * {line}".rstrip() for line in naming.lines(doc, WIDTH - len(indent) - 3))
    return "\n".join((f"{indent}/**", *body, f"{indent} */\n"))


def _member(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _protocol(protocol: Protocol) -> str:
    declared = (f"\n{_comment(declaration.doc)}{_declared(declaration)}" for declaration in protocol.declarations)
    return "".join((HEAD, TYPES_PRELUDE.format(version=protocol.version), *declared))


def _declared(declaration: Declaration) -> str:
    name = declaration.name
    match declaration:
        case Record(fields=(), tag=None):
            return f"export type {name} = JsonObject;\n"
        case Record(fields=fields, tag=tag):
            own = [f"{_member(tag.field)}: {json.dumps(tag.value)}"] if tag else []
            lines = (f"  {line};\n" for line in (*own, *map(_field, fields)))
            return f"export interface {name} {{\n{''.join(lines)}}}\n"
        case Enumeration(values=values, open=more):
            return _alternatives(name, [*map(json.dumps, values), *(["(string & {})"] if more else [])])
        case Union(arms=arms, open=more):
            return _alternatives(name, [*(arm for _, arm in arms), *([f"Unknown{name}"] if more else [])]) + (
                _unknown_arm(declaration) if more else ""
            )
        case Choice(options=options):
            return _alternatives(name, [_type(option) for option in options])
        case Alias(type=inner):
            return f"export type {name} = {_type(inner)};\n"


def _unknown_arm(union: Union) -> str:
    doc = _comment(f"A `{union.name}` that this version of the client does not know, with all its members.")
    members = f"  {_member(union.field)}: UnknownTag;\n  [member: string]: unknown;\n"
    return f"\n{doc}export interface Unknown{union.name} {{\n{members}}}\n"


def _field(field: Field) -> str:
    mark = "" if field.required else "?"
    return f"{_member(field.name)}{mark}: {_type(field.type)}{' | null' if field.nullable else ''}"


def _alternatives(name: str, options: list[str]) -> str:
    if len(line := f"export type {name} = {' | '.join(options)};\n") <= WIDTH + 1:
        return line
    return f"export type {name} =\n" + "\n".join(f"  | {option}" for option in options) + ";\n"


def _type(type_: Type) -> str:
    match type_:
        case Plain(kind=kind):
            return TYPES[kind]
        case Ref(name=name):
            return name
        case List(of=inner):
            return f"{_type(inner)}[]"
        case Map(of=inner):
            return f"Record<string, {_type(inner)}>"


def _methods(protocol: Protocol) -> str:
    used = {name for method in protocol.methods for name in (method.params, method.result)}
    called = [method for method in protocol.methods if method.name not in WRITTEN_BY_HAND]
    namespaces = groupby(called, lambda method: method.namespace)
    return "".join(
        (
            HEAD,
            "\n",
            _imported(used | {"Category"}),
            METHODS_PRELUDE,
            _method_table(protocol),
            *(_namespace(protocol, name, list(methods)) for name, methods in namespaces),
            _error_table(protocol),
        )
    )


def _imported(names: Iterable[str]) -> str:
    lines = "".join(f"  {name},\n" for name in sorted(names))
    return f'import type {{\n{lines}}} from "./protocol.js";\n'


def _method_table(protocol: Protocol) -> str:
    rows = (
        f"{_comment(method.doc, '  ')}"
        f"  {_member(method.name)}: {{ params: {method.params}; result: {method.result} }};\n"
        for method in protocol.methods
    )
    return f"\n/** The methods of the protocol. */\nexport interface Methods {{\n{''.join(rows)}}}\n"


def _namespace(protocol: Protocol, name: str, methods: list[Method]) -> str:
    bodies = "".join(_method(protocol, method) for method in methods)
    return f"""
/** The methods `{name}.*`. */
export class {naming.pascal(name)}Methods {{
  readonly #call: Call;

  constructor(call: Call) {{
    this.#call = call;
  }}
{bodies}}}
"""


def _method(protocol: Protocol, method: Method) -> str:
    errors = ", ".join(f"`{error}`" for error in method.errors)
    doc = f"{method.doc}\n\n@throws {{SidecarError}} Among others: {errors}." if errors else method.doc
    params = protocol.find(method.params)
    assert isinstance(params, Record)
    default = "" if any(field.required for field in params.fields) else " = {}"
    return (
        f"\n{_comment(doc, '  ')}"
        f"  {naming.camel(method.member)}(params: {method.params}{default}, options?: CallOptions):"
        f" Promise<{method.result}> {{\n"
        f'    return this.#call("{method.name}", params, options);\n'
        "  }\n"
    )


def _error_table(protocol: Protocol) -> str:
    rows = (
        f"{_comment(error.doc, '  ')}  {error.type}: "
        f'{{ code: {error.code}, category: "{error.category}", retryable: {str(error.retryable).lower()} }},\n'
        for error in protocol.errors
    )
    return (
        "\n/** The error types of the protocol. */\n"
        f"export const ERRORS = {{\n{''.join(rows)}}} as const"
        " satisfies Record<string, { code: number; category: Category; retryable: boolean }>;\n"
    )
