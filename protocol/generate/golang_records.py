"""Records as structs of Go: their members, what is refused when they are decoded, and what is left out again."""

import json
from collections.abc import Iterator
from typing import Any, Final

from msgspec import UNSET

from protocol.generate.golang_text import block, documented, exported, unexported
from protocol.generate.model import Alias, Enumeration, Field, List, Map, Plain, Protocol, Record, Ref, Type, Union

PLAIN: Final = {
    "string": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "bool",
    "object": "Object",
}
UNIONS: Final = "union"


class Records:
    """Writes the records of a protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self._found = {declaration.name: declaration for declaration in protocol.declarations}

    def type(self, type_: Type) -> str:
        """Return a type as Go has it."""
        match type_:
            case Plain(kind):
                return PLAIN[kind]
            case Ref(name):
                return exported(name)
            case List(inner):
                return f"[]{self.type(inner)}"
            case Map(inner):
                return f"map[string]{self.type(inner)}"

    def write(self, record: Record, markers: list[str]) -> str:
        """Return the struct and its methods."""
        name = exported(record.name)
        rows = [row for field in record.fields for row in self._rows(field)]
        opening = f"type {name} struct {{"
        pieces = [
            documented(name, record.doc) + (block(opening, rows, "}") if rows else f"type {name} struct{{}}\n"),
            *(f"func ({name}) {marker}() {{}}\n" for marker in markers),
            *self._rules(record),
            *self._decoding(record),
            *self._encoding(record),
        ]
        return "\n".join(pieces)

    def _rows(self, field: Field) -> Iterator[list[str]]:
        type_, option = self._shape(field)
        row = [exported(field.name), type_, f'`json:"{field.name}{option}"`']
        if field.tristate:
            note = f"// whether `{field.name}` is left out; it is null where it is nil otherwise"
            yield row
            yield [f"{exported(field.name)}Absent", "bool", '`json:"-"`', note]
        else:
            yield [*row, f"// default: {_shown(field.default)}"] if _worth_telling(field.default) else row

    def _shape(self, field: Field) -> tuple[str, str]:
        """Return the type of a member, and how it is left out."""
        type_, kind = self.type(field.type), self._kind(field.type)
        if kind == UNIONS:
            return type_, "" if field.required or field.tristate else ",omitempty"
        if field.required or field.tristate:
            return (f"*{type_}" if field.nullable else type_), ""
        if kind in {"list", "map"}:
            return type_, ",omitempty" if field.default in ([], {}) else ",omitzero"
        return (f"*{type_}" if self._is_pointed(field) else type_), ",omitempty"

    def _is_pointed(self, field: Field) -> bool:
        """Tell whether Go's zero value of an optional member is something else than its absence."""
        match self._kind(field.type):
            case "word" | "object":
                return False
            case "string":
                return _worth_telling(field.default)
        return field.default not in (False, 0)

    def _kind(self, type_: Type) -> str:
        match type_:
            case Plain(kind):
                return kind
            case List():
                return "list"
            case Map():
                return "map"
            case Ref(name):
                match self._found[name]:
                    case Alias() | Enumeration():
                        return "word"
                    case Union():
                        return UNIONS
        return "struct"

    def _rules(self, record: Record) -> Iterator[str]:
        rows = [[f'{{name: "{record.tag.field}", tag: "{record.tag.value}"}},']] if record.tag else []
        for field in record.fields:
            bits = ", required: true" * field.required + ", nullable: true" * (field.nullable and field.required)
            if field.required or not field.nullable:
                rows.append([f'{{name: "{field.name}"{bits}}},'])
        if rows:
            yield block(f"var {_rules_of(record)} = []rule{{", rows, "}")

    def _decoding(self, record: Record) -> Iterator[str]:
        name, rules = exported(record.name), [*self._rules(record)]
        unions = [field for field in record.fields if self._is_of_union(field.type)]
        if not (rules or unions):
            return
        yield "".join(
            [
                f"// UnmarshalJSON decodes what the protocol calls `{record.name}`, and nothing else.\n",
                f"func (r *{name}) UnmarshalJSON(data []byte) error {{\n",
                f"\tif err := check(data, {_rules_of(record) if rules else 'nil'}); err != nil {{\n",
                "\t\treturn err\n\t}\n",
                f"\ttype plain {name}\n",
                f"\t*r = {name}{{{', '.join(self._defaults(record))}}}\n",
                *(
                    f'\tr.{exported(field.name)}Absent = member(data, "{field.name}") == nil\n'
                    for field in record.fields
                    if field.tristate
                ),
                *(self._decode_unions(unions) if unions else ["\treturn json.Unmarshal(data, (*plain)(r))\n"]),
                "}\n",
            ]
        )

    def _decode_unions(self, unions: list[Field]) -> Iterator[str]:
        rows = [
            [
                exported(field.name),
                "[]json.RawMessage" if isinstance(field.type, List) else "json.RawMessage",
                f'`json:"{field.name}"`',
            ]
            for field in unions
        ]
        members = block(
            "\tvalue := struct {\n\t\t*plain",
            ([f"\t{cell}" if not i else cell for i, cell in enumerate(row)] for row in rows),
            "\t}{plain: (*plain)(r)}",
        )
        yield members
        yield "\tif err := json.Unmarshal(data, &value); err != nil {\n\t\treturn err\n\t}\n"
        calls = [self._decode_union(field) for field in unions]
        yield from (f"\tif err := {call}; err != nil {{\n\t\treturn err\n\t}}\n" for call in calls[:-1])
        yield f"\treturn {calls[-1]}\n"

    def _decode_union(self, field: Field) -> str:
        name = exported(field.name)
        inner, function = (field.type.of, "decodeList") if isinstance(field.type, List) else (field.type, "decodeOne")
        return f"{function}(value.{name}, decode{self.type(inner)}, &r.{name})"

    def _is_of_union(self, type_: Type) -> bool:
        return self._kind(type_.of if isinstance(type_, List) else type_) == UNIONS

    def _encoding(self, record: Record) -> Iterator[str]:
        name, preparations = exported(record.name), list(self._preparations(record))
        tristate = [field for field in record.fields if field.tristate]
        if not (record.tag or preparations or tristate):
            return
        yield "".join(
            [
                f"// MarshalJSON encodes r{' with its tag' if record.tag else ''}, but for what is at its default.\n",
                f"func (r {name}) MarshalJSON() ([]byte, error) {{\n",
                *(f"\t{line}\n" for line in preparations),
                f"\ttype plain {name}\n",
                *(self._encode_tristate(tristate) if tristate else [_encode(record)]),
                "}\n",
            ]
        )

    def _encode_tristate(self, fields: list[Field]) -> Iterator[str]:
        (field,) = fields
        name = exported(field.name)
        yield "\tvalue := struct {\n\t\tplain\n"
        yield f'\t\t{name} **{self.type(field.type)} `json:"{field.name},omitempty"`\n\t}}{{plain: plain(r)}}\n'
        yield f"\tif r.{name} != nil || !r.{name}Absent {{\n\t\tvalue.{name} = &r.{name}\n\t}}\n"
        yield "\treturn json.Marshal(value)\n"

    def _preparations(self, record: Record) -> Iterator[str]:
        for field in record.fields:
            target = f"&r.{exported(field.name)}"
            if field.required and not field.nullable and isinstance(field.type, List):
                yield f"fill({target})"
            elif field.default == {} and field.type == Plain("object"):
                yield f"leaveOutEmpty({target})"
            elif _worth_telling(field.default):
                function = "leaveOutPointed" if self._is_pointed(field) else "leaveOut"
                yield f"{function}({target}, {_shown(field.default)})"

    def _defaults(self, record: Record) -> Iterator[str]:
        for field in record.fields:
            if _worth_telling(field.default):
                value = _shown(field.default)
                typed = f"int64({value})" if field.type == Plain("integer") else value
                yield f"{exported(field.name)}: " + (f"Ptr({typed})" if self._is_pointed(field) else value)


def _rules_of(record: Record) -> str:
    return unexported(exported(record.name)) + "Rules"


def _encode(record: Record) -> str:
    if not record.tag:
        return "\treturn json.Marshal(plain(r))\n"
    tag = f'{exported(record.tag.field)} string `json:"{record.tag.field}"`'
    return f'\treturn json.Marshal(struct {{\n\t\t{tag}\n\t\tplain\n\t}}{{"{record.tag.value}", plain(r)}})\n'


def _worth_telling(default: Any) -> bool:
    """Tell whether a default is something else than Go's zero value."""
    return default is not UNSET and bool(default)


def _shown(default: Any) -> str:
    return json.dumps(default)
