"""What the generator of the TypeScript client makes of each kind of declaration."""

from typing import Final

import pytest

from protocol.generate import typescript
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
    Tag,
    Union,
    read,
)

TEXT: Final = Plain("string")
ONE: Final = Record("One", "One.", (Field("x-a", TEXT, required=True, nullable=False),), Tag("type", "one"))
MANY: Final = """\
export type Many = One | UnknownMany;

/** A `Many` that this version of the client does not know, with all its members. */
export interface UnknownMany {
  type: UnknownTag;
  [member: string]: unknown;
}
"""
DECLARED: Final[list[tuple[Declaration, str]]] = [
    (ONE, 'export interface One {\n  type: "one";\n  "x-a": string;\n}\n'),
    (
        Record(
            "Some",
            "Some.",
            (
                Field("a", Plain("integer"), required=True, nullable=True),
                Field("b", List(Ref("One")), required=False, nullable=False, default=[]),
                Field("c", Map(TEXT), required=False, nullable=True, default=None),
            ),
        ),
        "export interface Some {\n  a: number | null;\n  b?: One[];\n  c?: Record<string, string> | null;\n}\n",
    ),
    (Record("Empty", "Nothing.", ()), "export type Empty = JsonObject;\n"),
    (Enumeration("Shut", "Two.", ("a", "b"), open=False), 'export type Shut = "a" | "b";\n'),
    (Enumeration("Wide", "More.", ("a",), open=True), 'export type Wide = "a" | (string & {});\n'),
    (Union("Few", "Few.", "type", (("one", "One"),), open=False), "export type Few = One;\n"),
    (
        Union("Many", "Many.", "type", (("one", "One"),), open=True),
        MANY,
    ),
    (Choice("Either", "Either.", (TEXT, Plain("number"))), "export type Either = string | number;\n"),
    (Alias("Secret", "A key.", TEXT, secret=True), "export type Secret = string;\n"),
]


def generated(*declarations: Declaration, method: Method | None = None) -> dict[str, str]:
    """Return the generated files of a small protocol, by their names."""
    received = [Record(name, f"{name}.", ()) for name in ("Delta", "ErrorObject", "StreamStatus")]
    protocol = Protocol(1, (*declarations, *received), (method,) if method else (), (), ())
    return {path.rpartition("/")[2]: content for path, content in typescript.files(protocol).items()}


@pytest.mark.parametrize(("declaration", "written"), DECLARED, ids=lambda case: getattr(case, "name", ""))
def test_a_declaration_is_written_as(declaration: Declaration, written: str) -> None:
    assert f"/** {declaration.doc} */\n{written}" in generated(declaration)["protocol.ts"]


def test_alternatives_that_do_not_fit_a_line_have_one_each() -> None:
    values = tuple(f"value_{number:03}" for number in range(20))
    lines = "\n".join(f'  | "{value}"' for value in values)
    assert (
        f"export type Long =\n{lines};\n" in generated(Enumeration("Long", "Many.", values, open=False))["protocol.ts"]
    )


def test_a_method_is_a_function_whose_params_may_be_left_out_where_none_is_required() -> None:
    params = Record("Params", "Params.", (Field("a", TEXT, required=False, nullable=True, default=None),))
    method = Method("things.do_it", "Does it.", "Params", "One", ("timeout",))
    files = generated(params, ONE, method=method)
    assert "  doIt(params: Params = {}, options?: CallOptions): Promise<One> {\n" in files["methods.ts"]
    assert "   * Does it.\n   *\n   * @throws {SidecarError} Among others: `timeout`.\n" in files["methods.ts"]
    assert 'export const One: Check = record({\n  "x-a": string,\n});\n' in files["shapes.ts"]
    assert '  "things.do_it": One,\n' in files["shapes.ts"]


def test_a_check_follows_those_that_it_is_made_of() -> None:
    shapes = generated_protocol()["shapes.ts"]
    declared = [line.split()[2].rstrip(":") for line in shapes.splitlines() if line.startswith("export const ")]
    assert declared.index("Text") < declared.index("Part") < declared.index("Message") < declared.index("ChatResult")


def test_no_line_is_longer_than_the_style_allows() -> None:
    lines = (line for content in generated_protocol().values() for line in content.splitlines())
    assert [line for line in lines if len(line) > typescript.WIDTH] == []


def generated_protocol() -> dict[str, str]:
    """Return the files that are generated of the protocol itself, by their names."""
    return {path.rpartition("/")[2]: content for path, content in typescript.files(read()).items()}
