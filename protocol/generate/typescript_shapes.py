"""The run-time checks of the TypeScript client: that what the sidecar sends is what the types say."""

import json
from collections.abc import Iterable
from typing import Final

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
from protocol.generate.reach import reached

RECEIVED: Final = ("Delta", "ErrorObject", "StreamStatus")
"""What comes from the sidecar besides results."""
PLAIN: Final = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "object": "object"}
COMBINED: Final = ("either", "list", "map", "nullable", "oneOf", "optional", "record", "union")


def content(protocol: Protocol) -> str:
    """Return the module of checks."""
    wanted = sorted({*RECEIVED, *(method.result for method in protocol.methods)})
    body = "".join(
        f"\nexport const {declaration.name}: Check = {_declared(declaration)};\n"
        for declaration in reached(protocol, wanted)
    )
    words = (*COMBINED, *PLAIN.values())
    used = sorted(word for word in words if any(f"{before}{word}" in body for before in ("= ", "(", ": ", ", ")))
    return "".join((_imports(used), body, _table(protocol)))


def _imports(checks: list[str]) -> str:
    names = "".join(f"  {name},\n" for name in ("type Check", *checks))
    return f'\nimport {{\n{names}}} from "./check.js";\nimport type {{ Methods }} from "./methods.js";\n'


def _table(protocol: Protocol) -> str:
    rows = (f"  {_key(method.name)}: {method.result},\n" for method in protocol.methods)
    doc = "/** What each method answers with. */\n"
    return f"\n{doc}export const RESULTS: Readonly<Record<keyof Methods, Check>> = {{\n{''.join(rows)}}};\n"


def _declared(declaration: Declaration) -> str:
    match declaration:
        case Record(fields=fields):
            return _braced("record(", (f"{_key(field.name)}: {_member(field)}" for field in fields))
        case Union(field=field, arms=arms, open=more):
            head = f'union("{field}", "{"open" if more else "closed"}", '
            return _braced(head, (f"{_key(tag)}: {arm}" for tag, arm in arms))
        case Enumeration(open=True):
            return "string"
        case Enumeration(values=values):
            return f"oneOf({', '.join(map(json.dumps, values))})"
        case Choice(options=options):
            return f"either({', '.join(map(_check, options))})"
        case Alias(type=inner):
            return _check(inner)


def _braced(head: str, members: Iterable[str]) -> str:
    rows = "".join(f"  {member},\n" for member in members)
    return f"{head}{{\n{rows}}})" if rows else f"{head}{{}})"


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _member(field: Field) -> str:
    check = _check(field.type)
    if field.nullable:
        return f"nullable({check})"
    return check if field.required else f"optional({check})"


def _check(type_: Type) -> str:
    match type_:
        case Plain(kind=kind):
            return PLAIN[kind]
        case Ref(name=name):
            return name
        case List(of=inner):
            return f"list({_check(inner)})"
        case Map(of=inner):
            return f"map({_check(inner)})"
