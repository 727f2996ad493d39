"""Schemas and answers that would keep a validator busy, or bring it down, end one call alone, and soon."""

import asyncio
import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import anyio
import jsonschema_rs
import msgspec
import pytest
from calls import call_for
from host import script, session

from sidecar.handler import Call, Completion, Emit
from sidecar.middleware.schema_steps import StepCounter
from sidecar.middleware.structured_output import Check, structured_output
from sidecar.schema.chat import JsonFormat
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent

BOUND_S = 10.0
"""Far above what any check takes, far below what these would without bounds."""

TOO_LONG = ("output_invalid", "It would take too long to hold the answer against the schema.")
UNTOLD = ("output_invalid", "The answer could not be matched with the schema.")
TOO_COMPLEX = ("invalid_params", "The schema is too complex to hold an answer against it.")
TOO_DEEP = ("invalid_params", "The schema is nested too deeply.")
UNHELD = ("invalid_params", "The schema refers to a definition that it does not hold, or to itself without end.")
NO_JSON = ("output_invalid", "The answer is not JSON.")
FINISH = {"do": "finish", "reason": "stop"}
SLOW = r"(?=(a+)+b)\1"
"""A pattern that no engine without backtracking takes, and none with it in less than quadratic time."""


def outcome(schema: Any, answer: Any) -> tuple[str, str] | None:
    """Return the error of holding an answer, or its text, against a schema; None if it matches."""
    text = answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()
    start = monotonic()
    try:
        Check(schema).hold(text)
    except SidecarError as error:
        return error.type, error.message
    finally:
        assert monotonic() - start < BOUND_S
    return None


def quoted(text: str) -> str:
    return f'"{text}"'


def arrays(depth: int) -> str:
    return "[" * depth + "]" * depth


def within(keyword: str, depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {keyword: schema}
    return schema


def doubling(length: int, keyword: str, to: str = "#/$defs/") -> dict[str, Any]:
    """Return definitions that each refer twice to the next one."""
    links = {f"d{at}": {"$anchor": f"d{at}", keyword: [{"$ref": f"{to}d{at + 1}"}] * 2} for at in range(length)}
    return {"$ref": f"{to}d0", "$defs": links | {f"d{length}": {"$anchor": f"d{length}", "type": "string"}}}


def tree(branches: int) -> dict[str, Any]:
    return {"anyOf": [{"type": "array", "items": {"$ref": "#"}}] * branches + [{"type": "string"}]}


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("^(a+)+$", "a" * 40 + "!", ("output_invalid", "The answer does not match the schema, at $: ")),
        ("^(a|aa)+$", "a" * 90_000 + "!", UNTOLD),
        ("[ab]*a[ab]{5000}c", "ab" * 40_000, UNTOLD),
        ("[ab]*a[ab]{5000}c", "ab" * 400_000, TOO_LONG),
        (SLOW, "a" * 380, TOO_LONG),
        (SLOW, "a" * 20_000, TOO_LONG),
        (SLOW, "a" * 200_000, TOO_LONG),
        (r"(?!x)(a|aa)*b", "a" * 15_000, UNTOLD),
    ],
)
def test_a_pattern_takes_linear_time_or_a_bounded_number_of_steps(
    pattern: str, text: str, expected: tuple[str, str]
) -> None:
    found = outcome({"pattern": pattern}, quoted(text))
    assert found is not None
    assert (found[0], found[1][: len(expected[1])]) == expected


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {"pattern": SLOW}},
        {"anyOf": [{"pattern": SLOW}, {"type": "integer"}]},
        {"if": {"pattern": SLOW}, "then": False},
        {"oneOf": [{"pattern": SLOW}, True]},
    ],
)
def test_a_pattern_that_was_given_up_makes_no_answer_valid(schema: dict[str, Any]) -> None:
    assert outcome(schema, quoted("a" * 380)) == TOO_LONG


def test_look_around_is_matched() -> None:
    schema = {"pattern": r"^(?!admin)(?=.*\d)\w+$"}
    assert outcome(schema, quoted("user1")) is None
    assert outcome(schema, quoted("admin1")) == (
        "output_invalid",
        r'The answer does not match the schema, at $: "admin1" does not match "^(?!admin)(?=.*\d)\w+$"',
    )


@pytest.mark.parametrize("pattern", ["(a{1000}){1000}", "(?=b)((a{100}){100}){100}", "(", "(" * 5000 + ")" * 5000])
def test_a_pattern_that_is_none_or_huge_is_refused_before_anything_is_sent(pattern: str) -> None:
    kind, message = outcome({"properties": {"a": {"pattern": pattern}}}, {}) or ("", "")
    assert (kind, message[:53]) == ("invalid_params", "The schema is no JSON Schema, at $.properties.a.patte")
    assert len(message) < 300


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
@pytest.mark.parametrize("to", ["#/$defs/", "#/%24defs/", "#"])
def test_definitions_that_double_are_refused_before_anything_is_sent(keyword: str, to: str) -> None:
    assert outcome(doubling(30, keyword, to), 1) == TOO_COMPLEX
    assert outcome(doubling(60, keyword, to) | {"unevaluatedProperties": False}, {}) == TOO_COMPLEX
    assert outcome({"properties": {"a": doubling(30, keyword)}, **doubling(30, keyword)}, {}) == TOO_COMPLEX
    assert outcome(doubling(6, keyword, to), quoted("a")) in (None, UNTOLD) or keyword == "oneOf"


def test_definitions_that_double_by_their_addresses_are_refused() -> None:
    links = {f"d{at}": {"$id": f"d{at}", "anyOf": [{"$ref": f"d{at + 1}"}] * 2} for at in range(30)}
    schema = {"$id": "https://a.test/root", "$ref": "d0", "$defs": links | {"d30": {"$id": "d30", "type": "string"}}}
    assert outcome(schema, 1) == TOO_COMPLEX


def test_an_answer_that_doubles_the_work_at_every_level_is_given_up() -> None:
    assert outcome(tree(1), arrays(40)) is None
    assert outcome(tree(2), arrays(40)) == TOO_LONG


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"items": {"enum": [{"a": number} for number in range(5000)]}}, [{"a": 4999}] * 5000),
        ({"items": {"enum": list(range(5000))}}, [4999.0] * 5000),
        ({"items": {"anyOf": [{"const": [number]} for number in range(5000)]}}, [[4999]] * 5000),
    ],
)
def test_many_alternatives_for_many_items_are_given_up(schema: dict[str, Any], answer: list[Any]) -> None:
    assert outcome(schema, answer) == TOO_LONG


def test_what_is_much_but_takes_no_time_is_checked() -> None:
    names = [f"value{number}" for number in range(5000)]
    assert outcome({"items": {"enum": names}}, ["value4999"] * 5000) is None
    assert outcome({"uniqueItems": True}, [{"a": {"b": [number]}} for number in range(20_000)]) is None
    record = {f"f{number}": number for number in range(20)}
    properties = {name: {"type": "integer"} for name in record}
    assert outcome({"items": {"properties": properties, "additionalProperties": False}}, [record] * 2000) is None
    parts = {"items": {"allOf": [{"properties": properties}], "unevaluatedProperties": False}}
    assert outcome({"allOf": [parts], "unevaluatedItems": False}, [record] * 2000) is None


def test_the_reason_is_not_collected_from_thousands_of_alternatives() -> None:
    assert outcome({"anyOf": [{"items": {"type": "string"}}] * 2}, [1] * 100_000) == UNTOLD


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"not": {"$ref": "#"}},
        {"anyOf": [{"$ref": "#"}, {"type": "string"}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"$dynamicAnchor": "node", "$dynamicRef": "#node"},
        {"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveAnchor": True, "$recursiveRef": "#"},
        {"$ref": "#/$defs/a0", "$defs": {f"a{at}": {"anyOf": [{"$ref": f"#/$defs/a{to}"} for to in range(12)]} for at in range(12)}},  # noqa: E501
    ],
)  # fmt: skip
def test_references_that_go_round_in_one_place_are_refused(schema: dict[str, Any]) -> None:
    assert outcome(schema, "{}") == UNHELD


def test_a_schema_may_refer_to_itself_further_inside() -> None:
    node = {"$dynamicAnchor": "node", "type": "object", "properties": {"next": {"$dynamicRef": "#node"}}}
    assert outcome(node, {"next": {"next": {}}}) is None
    assert outcome(node, {"next": {"next": 1}}) is not None


@pytest.mark.parametrize(
    ("schema", "expected"),
    [(within("not", 900), TOO_COMPLEX), (within("not", 100_000), TOO_DEEP), (within("items", 900), TOO_DEEP)],
)
def test_a_schema_nested_deeply_is_refused(schema: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome(schema, "{}") == expected


@pytest.mark.parametrize(("depth", "expected"), [(100, None), (900, TOO_LONG), (5_000, NO_JSON), (1_000_000, NO_JSON)])
def test_an_answer_nested_deeply_is_given_up(depth: int, expected: tuple[str, str] | None) -> None:
    assert outcome({"items": {"$ref": "#"}}, arrays(depth)) == expected


def test_a_long_way_at_every_level_of_an_answer_does_not_overflow_the_stack() -> None:
    links: dict[str, Any] = {f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}]} for at in range(100)}
    schema = {"$ref": "#/$defs/d0", "$defs": links | {"d100": {"items": {"$ref": "#"}}}}
    assert outcome(schema, arrays(1)) is None
    assert outcome(schema, arrays(900)) == TOO_LONG


@pytest.mark.parametrize(
    ("schema", "answer", "expected"),
    [
        ({"type": "integer", "maximum": 10**400}, str(10**399), None),
        ({"type": "integer"}, "1" * 100_000, NO_JSON),
        ({"type": "number"}, "1e400", NO_JSON),
        ({"type": "number"}, "NaN", NO_JSON),
        ({"type": "string"}, r'"\ud800"', NO_JSON),
        ({"type": "string"}, '"\ud800"', NO_JSON),
        ({"type": "integer"}, "1.0", None),
        ({"properties": {"a": {"const": 2}}}, '{"a": 1, "a": 2}', None),
        ({"format": "email", "type": "string"}, '"nobody"', None),
    ],
)
def test_odd_values_are_judged(schema: dict[str, Any], answer: str, expected: tuple[str, str] | None) -> None:
    assert outcome(schema, answer) == expected


@pytest.mark.parametrize(
    ("draft", "fails"),
    [
        ("http://json-schema.org/draft-04/schema#", True),
        ("http://json-schema.org/draft-07/schema#", None),
        ("https://json-schema.org/draft/2019-09/schema", None),
        ("https://json-schema.org/draft/2020-12/schema", None),
        ("https://a.test/unknown", None),
    ],
)
def test_a_schema_is_read_by_its_draft_and_by_the_newest_where_that_is_unknown(draft: str, fails: object) -> None:
    schema = {"$schema": draft, "minimum": 1, "exclusiveMinimum": True}
    found = outcome(schema, "1")
    assert found is not None
    assert (found[0] == "output_invalid") is (fails is True)
    assert outcome({"$schema": draft, "type": "string"}, '"a"') is None


@pytest.mark.parametrize("data", [{"default": {"$ref": "nowhere"}}, {"enum": ["{}", {"$ref": 1}]}, {"const": True}])
def test_data_in_a_schema_is_not_taken_for_a_schema(data: dict[str, Any]) -> None:
    assert outcome({"properties": {"a": data}}, {}) is None


def test_a_schema_has_not_too_many_patterns() -> None:
    patterns = [{"patternProperties": {f"a{number}": True}, "pattern": f"b{number}"} for number in range(251)]
    assert outcome({"allOf": patterns[:250]}, "1") is None
    assert outcome({"allOf": patterns}, "1") == TOO_COMPLEX


def test_a_schema_is_not_too_long() -> None:
    assert outcome({"description": "a" * (1 << 20)}, {}) == (
        "invalid_params",
        "The schema is longer than 1048576 bytes.",
    )


@contextmanager
def listener() -> Generator[tuple[int, list[str]]]:
    """A server on the loopback interface, and what was asked of it."""
    asked: list[str] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append("connected")

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], asked
        finally:
            server.shutdown()
            thread.join()


def unlimited(_: StepCounter) -> int:
    return 0


def test_nothing_is_ever_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "local.json").write_text("{}")
    local = (tmp_path / "local.json").as_uri()
    # What is counted refuses such references first; the validator must do so alone.
    monkeypatch.setattr(StepCounter, "before_any", unlimited)
    with listener() as (port, asked):
        remote = f"http://127.0.0.1:{port}/schema.json"
        for schema in (
            {"$ref": remote},
            {"$ref": local},
            {"$id": remote, "$ref": "other.json"},
            {"$dynamicRef": remote},
            {"properties": {"a": {"$ref": f"{remote}#/a"}}},
        ):
            assert outcome(schema, "{}") == UNHELD
        outcome({"$schema": remote}, "{}")
    assert asked == []


@pytest.mark.parametrize("reference", ["http://127.0.0.1:1/", "file:///etc/hosts", "other.json", "#missing"])
def test_a_reference_to_elsewhere_is_refused_before_anything_is_sent(reference: str) -> None:
    assert outcome({"properties": {"a": {"$ref": reference}}}, "{}") == UNHELD


class PanicException(BaseException):
    """Like the one of the validator's binding, which has no name that could be imported."""


@pytest.mark.anyio
async def test_a_panic_of_the_validator_ends_one_call_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(*_: object, **__: object) -> None:
        raise PanicException

    async def never(call: Call, emit: Emit) -> Completion:
        del call, emit
        raise AssertionError

    async def ignore(event: StreamEvent) -> None:
        del event

    monkeypatch.setattr(jsonschema_rs, "validator_cls_for", panic)
    with pytest.raises(RuntimeError, match=r"^The validator of JSON Schemas failed\.$"):
        await structured_output(never)(call_for(response_format=JsonFormat()), ignore)


@pytest.mark.anyio
async def test_other_tasks_go_on_while_a_check_is_counted() -> None:
    check = Check({"items": {"anyOf": [{"const": [number]} for number in range(5000)]}})
    turns = 0
    with anyio.fail_after(30):
        held = asyncio.ensure_future(asyncio.to_thread(check.hold, msgspec.json.encode([[4999]] * 5000).decode()))
        while not held.done():
            await asyncio.sleep(0)
            turns += 1
    assert isinstance(held.exception(), SidecarError)
    assert turns > 10


@pytest.mark.parametrize(
    ("schema", "answer", "error"),
    [
        ({"pattern": "^(a+)+$"}, quoted("a" * 40 + "!"), "output_invalid"),
        ({"pattern": SLOW}, quoted("a" * 20_000), "output_invalid"),
        (doubling(40, "anyOf"), "1", "invalid_params"),
        (tree(2), arrays(60), "output_invalid"),
    ],
)
def test_a_hostile_check_keeps_nobody_waiting(tmp_path: Path, schema: dict[str, Any], answer: str, error: str) -> None:
    wanted = {"type": "json_schema", "schema": schema}
    with session(tmp_path, "--scripted") as host:
        start = monotonic()
        hostile = host.send("chat.complete", script({"do": "text", "text": answer}, FINISH, response_format=wanted))
        other = host.send("chat.complete", script({"do": "text", "text": "hello"}, FINISH))
        replies = {reply["id"]: reply for reply in (host.receive(), host.receive())}
        assert monotonic() - start < BOUND_S
        assert replies[other]["result"]["finish_reason"]["reason"] == "stop"
        assert replies[hostile]["error"]["data"]["type"] == error
