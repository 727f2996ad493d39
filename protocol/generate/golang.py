"""The types and methods of the Go client."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from protocol.generate.golang_records import Records
from protocol.generate.golang_text import HEADER, acting, block, comment, documented, exported, unexported
from protocol.generate.model import (
    Alias,
    Choice,
    Declaration,
    Enumeration,
    List,
    Method,
    Plain,
    Protocol,
    Record,
    Ref,
    Type,
    Union,
)

FOLDER: Final = "clients/go"
EVENTS: Final = {"Delta": "StreamEvent"}
"""Unions whose arms are items of what the client iterates over, too."""
BY_HAND: Final = frozenset({"initialize", "shutdown", "chat.stream"})
"""Methods that the client calls itself, or has a better form for."""
BEGINNINGS: Final = {"string": "'\"'", "integer": "'-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'"}


def files(protocol: Protocol) -> dict[str, str]:
    """Return the generated files, by their paths in the repository."""
    return {
        f"{FOLDER}/protocol.go": _protocol(protocol),
        f"{FOLDER}/methods.go": _methods(protocol),
        f"{FOLDER}/protocol_test.go": _decoders(protocol),
    }


def _protocol(protocol: Protocol) -> str:
    version = comment("ProtocolVersion is the version of the protocol that these types are for.")
    types = _Types(protocol)
    return "\n".join(
        [
            HEADER,
            'import (\n\t"bytes"\n\t"encoding/json"\n)\n',
            f"{version}const ProtocolVersion = {protocol.version}\n",
            *(types.write(declaration) for declaration in protocol.declarations),
        ]
    )


class _Types:
    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._records = Records(protocol)
        self._markers: dict[str, list[str]] = defaultdict(list)
        self._meanings = {error.type: error.doc for error in protocol.errors}
        for union in protocol.declarations:
            if isinstance(union, Union):
                for _, arm in union.arms:
                    self._markers[arm] += _markers(union)

    def write(self, declaration: Declaration) -> str:
        match declaration:
            case Record():
                return self._records.write(declaration, self._markers[declaration.name])
            case Enumeration():
                return "\n".join(self._enumeration(declaration))
            case Union():
                return "\n".join(_union(declaration))
            case Choice():
                return "\n".join(self._choice(declaration))
            case Alias():
                name = exported(declaration.name)
                return f"{documented(name, declaration.doc)}type {name} {self._records.type(declaration.type)}\n"

    def _enumeration(self, enumeration: Enumeration) -> Iterator[str]:
        name = exported(enumeration.name)
        doc = f"{enumeration.doc} There may be other values than these." if enumeration.open else enumeration.doc
        yield f"{documented(name, doc)}type {name} string\n"
        constants = [f"{name}{exported(value)}" for value in enumeration.values]
        meanings = self._meanings if enumeration.name == "ErrorType" else {}
        rows = [
            [constant, name, f'= "{value}"', *([f"// {meanings[value]}"] if value in meanings else [])]
            for constant, value in zip(constants, enumeration.values, strict=True)
        ]
        yield block(f"// The values of {name}.\nconst (", rows, ")")
        if not enumeration.open:
            yield (
                f"// UnmarshalJSON decodes one of the values above.\n"
                f"func (e *{name}) UnmarshalJSON(data []byte) error {{\n"
                f"\treturn decodeClosed(data, e, {', '.join(constants)})\n}}\n"
            )

    def _choice(self, choice: Choice) -> Iterator[str]:
        name = exported(choice.name)
        options = [(self._option(choice, option), option) for option in choice.options]
        (first, _), *others = options
        rule = f"It is {' or '.join(f'`{other}`' for other, _ in others)} where that is not nil, else `{first}`."
        rows = [[label, self._field(option, first=label == first)] for label, option in options]
        yield documented(name, f"{choice.doc}\n\n{rule}") + block(f"type {name} struct {{", rows, "}")
        yield from (self._constructor(name, label, option, first=label == first) for label, option in options)
        yield self._encode_choice(name, [label for label, _ in options])
        yield self._decode_choice(name, options)

    def _option(self, choice: Choice, option: Type) -> str:
        """Return what an option is called: `Text`, `Integer`, the plural of its last word, or its own name."""
        match option:
            case Plain("string"):
                return "Text"
            case List(Ref(inner)):
                return exported(inner).removeprefix(exported(choice.name).removesuffix("Content")) + "s"
            case Ref(inner):
                return exported(inner).removeprefix(exported(choice.name))
        return "Integer"

    def _field(self, option: Type, *, first: bool) -> str:
        pointed = not first and not isinstance(option, List)
        return f"*{self._records.type(option)}" if pointed else self._records.type(option)

    def _constructor(self, name: str, label: str, option: Type, *, first: bool) -> str:
        argument, type_ = unexported(label), self._records.type(option)
        value = argument
        if isinstance(option, List):
            type_, value = f"...{self._records.type(option.of)}", f"nonNil({argument})"
        elif not first:
            value = f"&{argument}"
        doc = comment(f"{name}From{label} returns what `{label}` alone makes of it.")
        return f"{doc}func {name}From{label}({argument} {type_}) {name} {{\n\treturn {name}{{{label}: {value}}}\n}}\n"

    def _encode_choice(self, name: str, labels: list[str]) -> str:
        first, *others = labels
        branches = "".join(f"\tif c.{label} != nil {{\n\t\treturn json.Marshal(c.{label})\n\t}}\n" for label in others)
        return (
            "// MarshalJSON encodes the one that counts.\n"
            f"func (c {name}) MarshalJSON() ([]byte, error) {{\n{branches}\treturn json.Marshal(c.{first})\n}}\n"
        )

    def _decode_choice(self, name: str, options: list[tuple[str, Type]]) -> str:
        cases = "".join(
            f"\tcase {self._beginning(option)}:\n\t\treturn {self._decode_option(label, option)}\n"
            for label, option in options
        )
        return (
            f"// UnmarshalJSON decodes any of them.\nfunc (c *{name}) UnmarshalJSON(data []byte) error {{\n"
            f"\t*c = {name}{{}}\n\tswitch first(data) {{\n{cases}\t}}\n\treturn unexpected(data)\n}}\n"
        )

    def _decode_option(self, label: str, option: Type) -> str:
        match option:
            case List(Ref(inner)):
                return f"decodeArray(data, decode{exported(inner)}, &c.{label})"
        return f"json.Unmarshal(data, &c.{label})"

    def _beginning(self, option: Type) -> str:
        """Return the characters that JSON of this type begins with."""
        match option:
            case List():
                return "'['"
            case Ref(name) if isinstance(self._protocol.find(name), Record):
                return "'{'"
            case Plain(kind):
                return BEGINNINGS[kind]
        return BEGINNINGS["string"]


def _markers(union: Union) -> list[str]:
    events = [f"is{EVENTS[union.name]}"] if union.name in EVENTS else []
    return [f"is{exported(union.name)}", *events]


def _union(union: Union) -> Iterator[str]:
    name = exported(union.name)
    arms = ", ".join([*(exported(arm) for _, arm in union.arms), *([f"Unknown{name}"] if union.open else [])])
    embedded = f"\t{EVENTS[union.name]}\n" if union.name in EVENTS else ""
    doc = documented(name, f"{union.doc}\n\nIt is one of {arms}.")
    yield f"{doc}type {name} interface {{\n{embedded}\tis{name}()\n}}\n"
    if union.open:
        yield from _unknown(union)
    yield _decode_union(union)


def _unknown(union: Union) -> Iterator[str]:
    name = f"Unknown{exported(union.name)}"
    doc = comment(f"{name} is one of a later version of the protocol, with its JSON as it came.")
    tag = exported(union.field)
    rows = [[tag, "string"], ["Raw", "json.RawMessage"]]
    yield doc + block(f"type {name} struct {{", rows, "}")
    yield from (f"func ({name}) {marker}() {{}}\n" for marker in _markers(union))
    yield (
        "// MarshalJSON returns the JSON as it came.\n"
        f"func (u {name}) MarshalJSON() ([]byte, error) {{\n\treturn u.Raw, nil\n}}\n"
    )


def _decode_union(union: Union) -> str:
    name = exported(union.name)
    cases = "".join(f'\tcase "{value}":\n\t\treturn decodeArm[{exported(arm)}](data)\n' for value, arm in union.arms)
    other = f"Unknown{name}{{tag, bytes.Clone(data)}}, nil" if union.open else f'nil, unknownTag("{union.field}", tag)'
    return (
        f"func decode{name}(data []byte) ({name}, error) {{\n"
        f'\ttag, err := tagOf(data, "{union.field}")\n\tif err != nil {{\n\t\treturn nil, err\n\t}}\n'
        f"\tswitch tag {{\n{cases}\t}}\n\treturn {other}\n}}\n"
    )


def _methods(protocol: Protocol) -> str:
    spaces: dict[str, list[Method]] = defaultdict(list)
    for method in protocol.methods:
        if method.name not in BY_HAND:
            spaces[method.namespace].append(method)
    return "\n".join(
        [
            HEADER,
            'import "context"\n',
            _all_methods(list(spaces)),
            *(piece for space, methods in spaces.items() for piece in _namespace(space, methods)),
        ]
    )


def _all_methods(spaces: list[str]) -> str:
    rows = [[exported(space), f"{exported(space)}Methods"] for space in spaces]
    values = "".join(f"\t\t{exported(space)}Methods{{s}},\n" for space in spaces)
    doc = comment("Methods are those of the protocol, by their namespaces.")
    function = f"func methodsOf(s *Sidecar) Methods {{\n\treturn Methods{{\n{values}\t}}\n}}\n"
    return doc + block("type Methods struct {", rows, "}") + "\n" + function


def _namespace(space: str, methods: list[Method]) -> Iterator[str]:
    name = f"{exported(space)}Methods"
    yield comment(f"{name} are the methods `{space}.*`.") + f"type {name} struct{{ sidecar *Sidecar }}\n"
    yield from (_method(name, method) for method in methods)


def _method(space: str, method: Method) -> str:
    name, result = exported(method.member), exported(method.result)
    empty = method.params == "Empty"
    parameter, argument = ("", "Empty{}") if empty else (f", params {exported(method.params)}", "params")
    return (
        f"{acting(name, method.doc)}func (m {space}) {name}(ctx context.Context{parameter}) (*{result}, error) {{\n"
        f'\treturn call[{result}](ctx, m.sidecar, "{method.name}", {argument})\n}}\n'
    )


def _decoders(protocol: Protocol) -> str:
    """Return how the tests decode what is named as the types of the protocol."""
    rows = [[f'"{name}":', f"{decoder},"] for name, decoder in map(_decoder, protocol.declarations) if decoder]
    doc = comment("decoders decode the types of the protocol that are no arms of a union, by their names.")
    return f"{HEADER}\n{doc}{block('var decoders = map[string]func([]byte) (any, error){', rows, '}')}"


def _decoder(declaration: Declaration) -> tuple[str, str | None]:
    name = exported(declaration.name)
    match declaration:
        case Union():
            return declaration.name, f"func(data []byte) (any, error) {{ return decode{name}(data) }}"
        case Record(tag=tag) if tag:
            return declaration.name, None
    return declaration.name, f"decodeAs[{name}]"
