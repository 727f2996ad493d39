"""An answer in JSON is held against the schema that was asked for."""

from typing import Any

import pytest
from calls import call_for
from msgspec.structs import replace

from sidecar.handler import Call, ChatHandler, Completion, Emit
from sidecar.middleware.structured_output import structured_output
from sidecar.schema.chat import FinishReason, JsonFormat, JsonSchemaFormat, Reason, ResponseFormat
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ReasoningDelta, StreamEvent, TextDelta

pytestmark = pytest.mark.anyio

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"],
    "additionalProperties": False,
}


async def ignore(event: StreamEvent) -> None:
    del event


def saying(text: str, reason: Reason = "stop") -> ChatHandler:
    async def handler(call: Call, emit: Emit) -> Completion:
        del emit
        call.transcript.add(ReasoningDelta(0, "not { json"))
        call.transcript.add(TextDelta(1, text))
        call.transcript.add(FinishReason(reason))
        return call.completion()

    return handler


async def ask(handler: ChatHandler, wanted: ResponseFormat | None) -> Call:
    call = call_for()
    call.request = replace(call.request, response_format=wanted)
    await structured_output(handler)(call, ignore)
    return call


async def refusal(handler: ChatHandler, wanted: ResponseFormat) -> tuple[str, str]:
    with pytest.raises(SidecarError) as raised:
        await ask(handler, wanted)
    return raised.value.type, raised.value.message


async def test_an_answer_that_matches_passes_and_the_way_it_was_had_is_known() -> None:
    call = await ask(saying('{"name": "Ada", "age": 36}'), JsonSchemaFormat(PERSON))
    assert call.structured == "native"
    assert (await ask(saying("words"), None)).structured is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": 1}', 'The answer does not match the schema, at $.name: 1 is not of type "string"'),
        ("{}", 'The answer does not match the schema, at $: "name" is a required property'),
        ("Here you are: {}", "The answer is not JSON."),
        ("", "The answer is not JSON."),
        ("[" * 100_000, "The answer is not JSON."),
    ],
)
async def test_an_answer_that_does_not_match_is_an_error_that_says_where(text: str, message: str) -> None:
    assert await refusal(saying(text), JsonSchemaFormat(PERSON)) == ("output_invalid", message)


async def test_a_long_value_does_not_make_a_long_error() -> None:
    kind, message = await refusal(saying(f'{{"name": ["{"x" * 5000}"]}}'), JsonSchemaFormat(PERSON))
    assert (kind, len(message) < 300) == ("output_invalid", True)


async def test_any_json_object_will_do_where_no_schema_is_given() -> None:
    await ask(saying('{"a": [1]}'), JsonFormat())
    assert (await refusal(saying("[1]"), JsonFormat()))[0] == "output_invalid"


@pytest.mark.parametrize("reason", ["length", "tool_calls", "content_filter", "refusal", "pause"])
async def test_an_answer_that_did_not_come_to_its_end_is_not_judged(reason: Reason) -> None:
    await ask(saying('{"nam', reason), JsonSchemaFormat(PERSON))


def nested(depth: int) -> dict[str, Any]:
    return {"properties": {"a": nested(depth - 1)}} if depth else {}


@pytest.mark.parametrize("schema", [{"type": "objekt"}, {"required": "name"}, {"$ref": 1}, nested(200)])
async def test_a_schema_that_is_none_is_refused_before_anything_is_sent(schema: dict[str, Any]) -> None:
    async def never(call: Call, emit: Emit) -> Completion:
        del call, emit
        raise AssertionError

    assert (await refusal(never, JsonSchemaFormat(schema)))[0] == "invalid_params"


@pytest.mark.parametrize("reference", ["#/$defs/missing", "https://127.0.0.1:1/schema.json"])
async def test_references_are_followed_only_inside_the_schema(reference: str) -> None:
    assert (await refusal(saying("{}"), JsonSchemaFormat({"$ref": reference})))[0] == "invalid_params"
    inside = {"$ref": "#/$defs/it", "$defs": {"it": {"type": "object"}}}
    await ask(saying("{}"), JsonSchemaFormat(inside))
