"""Requests as Messages wants them."""

import json
from typing import Any

import pytest
from msgspec.structs import replace
from recorded import AIM

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.dialects.contract import HttpRequest
from sidecar.dialects.shaping import AS_IT_COMES, Shaping
from sidecar.dialects.traits import UNKNOWN, ModelTraits
from sidecar.providers.anthropic_models import traits_of
from sidecar.schema.chat import (
    ChatRequest,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    NamedTool,
    ProviderTool,
    Text,
)
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError

Json = dict[str, Any]

HELLO = Message("user", "Hello")
HELLO_WIRE = {"role": "user", "content": [{"type": "text", "text": "Hello"}]}
OLD = traits_of("claude-haiku-4-5")
WEATHER = FunctionTool("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
CLOSED = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}


def encode(
    request: ChatRequest, traits: ModelTraits = UNKNOWN, lacks: frozenset[str] = frozenset(), **aim: Any
) -> HttpRequest:
    return DIALECT.encode_request(request, replace(AIM, traits=traits, lacks=lacks, **aim))


def asked(traits: ModelTraits = UNKNOWN, **options: Any) -> tuple[Json, list[str | None]]:
    """Return what a request adds to the smallest one, and the parameters warned of."""
    encoded = encode(ChatRequest(messages=[HELLO], **options), traits)
    plain = json.loads(encode(ChatRequest(messages=[HELLO]), traits).body)
    body = {name: value for name, value in json.loads(encoded.body).items() if plain.get(name) != value}
    return body, [warning.param for warning in encoded.warnings]


def test_the_smallest_request() -> None:
    assert encode(ChatRequest(messages=[HELLO])) == HttpRequest(
        "/v1/messages",
        b'{"stream":true,"model":"m-1","max_tokens":8192,'
        b'"messages":[{"role":"user","content":[{"type":"text","text":"Hello"}]}]}',
    )


def test_instructions_stand_before_the_conversation() -> None:
    told = [Message("system", "Be brief."), Message("developer", [Text("Be kind."), Text(" ")]), HELLO]
    assert json.loads(encode(ChatRequest(messages=told)).body) == {
        "stream": True,
        "model": "m-1",
        "max_tokens": 8192,
        "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}],
        "messages": [HELLO_WIRE],
    }


def test_sampling_goes_out_as_far_as_there_are_words_for_it() -> None:
    wanted = {
        "max_tokens": 10,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "stop": ["END", " \n"],
        "seed": 7,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.1,
        "context_size": 4096,
    }
    body, warned = asked(**wanted)
    assert body == {"max_tokens": 10, "temperature": 0.5, "top_p": 0.9, "top_k": 40, "stop_sequences": ["END"]}
    assert warned == ["context_size", "frequency_penalty", "presence_penalty", "seed"]
    assert encode(ChatRequest(messages=[HELLO], stop=["END", " \n"])).shaping == Shaping(stop=(" \n",))
    assert asked(OLD, temperature=0.5, top_p=0.9) == ({"temperature": 0.5}, ["top_p"])
    assert asked(traits_of("claude-opus-5-5"), temperature=1, top_p=0.9, top_k=1) == (
        {},
        ["temperature", "top_p", "top_k"],
    )


def test_a_temperature_above_the_greatest_is_the_greatest() -> None:
    assert asked(temperature=1.5) == ({"temperature": 1.0}, ["temperature"])


def test_tools_go_out_in_their_order() -> None:
    search = {"type": "web_search_20260318", "name": "web_search", "max_uses": 2}
    strict = FunctionTool("pick", input_schema=CLOSED, strict=True)
    body, warned = asked(tools=[WEATHER, ProviderTool(search), FunctionTool("now"), strict])
    assert body == {
        "tools": [
            {
                "name": "weather",
                "description": "Tells the weather.",
                "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
            },
            search,
            {"name": "now", "input_schema": {"type": "object", "properties": {}}},
            {
                "name": "pick",
                "input_schema": {
                    "type": "object",
                    "properties": {"n": {"type": "integer", "description": 'Constraints: {"minimum":1}'}},
                    "required": ["n"],
                    "additionalProperties": False,
                },
                "strict": True,
            },
        ]
    }
    assert warned == []


def test_calls_that_cannot_be_made_to_match_are_reported() -> None:
    open_ended = {"type": "object", "properties": {"any": {}}}
    body, warned = asked(tools=[FunctionTool("f", input_schema=open_ended, strict=True)])
    assert body == {"tools": [{"name": "f", "input_schema": open_ended}]}
    assert warned == ["tools.strict"]


@pytest.mark.parametrize(
    ("options", "choice"),
    [
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        ({"tool_choice": NamedTool("weather")}, {"type": "tool", "name": "weather"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"parallel_tool_calls": True}, None),
        ({"parallel_tool_calls": False, "tool_choice": "required"}, {"type": "any", "disable_parallel_tool_use": True}),
        ({"parallel_tool_calls": False, "tool_choice": "none"}, {"type": "none"}),
    ],
)
def test_the_choice_among_tools(options: Json, choice: Json | None) -> None:
    body, warned = asked(tools=[WEATHER], **options)
    assert body.get("tool_choice") == choice
    assert warned == []


def test_a_model_that_cannot_be_made_to_call_a_tool_is_asked_to() -> None:
    body, warned = asked(traits_of("claude-opus-5-5"), tools=[WEATHER], tool_choice="required")
    assert body["tool_choice"] == {"type": "auto"}
    assert body["system"] == [{"type": "text", "text": "Answer this turn by calling at least one of the tools."}]
    assert warned == ["tool_choice"]


def test_an_answer_that_matches_a_schema_is_asked_for_natively() -> None:
    request = ChatRequest(messages=[HELLO], response_format=JsonSchemaFormat(CLOSED))
    encoded = encode(request)
    schema = CLOSED | {
        "properties": {"n": {"type": "integer", "description": 'Constraints: {"minimum":1}'}},
        "additionalProperties": False,
    }
    assert json.loads(encoded.body)["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    assert encoded.shaping == Shaping(structured="native")
    assert encoded.warnings == ()


def test_a_schema_of_open_objects_is_a_tools() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    request = ChatRequest(messages=[HELLO], response_format=JsonSchemaFormat(schema, "counts"))
    encoded = encode(request)
    body = json.loads(encoded.body)
    assert body["tools"] == [{"name": "counts", "description": "Gives the answer.", "input_schema": schema}]
    assert body["tool_choice"] == {"type": "tool", "name": "counts"}
    assert encoded.shaping == Shaping(tool="counts", structured="tool")
    assert encode(request, traits_of("claude-opus-5-5")).shaping == Shaping(fenced=True, structured="prompt")


def test_any_json_is_asked_for_in_words() -> None:
    encoded = encode(ChatRequest(messages=[HELLO], response_format=JsonFormat()))
    assert "JSON object" in json.loads(encoded.body)["system"][0]["text"]
    assert encoded.shaping == Shaping(fenced=True, structured="prompt")
    assert encode(ChatRequest(messages=[HELLO])).shaping == AS_IT_COMES


def test_options_of_the_provider_have_the_last_word() -> None:
    options = {
        "kind": {"metadata": {"user_id": "hash"}, "top_k": 5, "service_tier": "auto"},
        "here": {"output_config": {"effort": "low"}, "service_tier": "standard_only"},
        "elsewhere": {"x": 1},
    }
    request = ChatRequest(messages=[HELLO], top_k=1, response_format=JsonSchemaFormat(CLOSED), provider_options=options)
    body = json.loads(encode(request, additions={"inference_geo": "us", "service_tier": "x"}).body)
    assert body["output_config"].keys() == {"format", "effort"}
    assert {name: body[name] for name in ("metadata", "top_k", "service_tier", "inference_geo")} == {
        "metadata": {"user_id": "hash"},
        "top_k": 5,
        "service_tier": "standard_only",
        "inference_geo": "us",
    }
    assert "x" not in body


def test_a_question_is_counted_as_it_would_be_asked() -> None:
    request = ChatRequest(messages=[Message("system", "Be brief."), HELLO], tools=[WEATHER], temperature=1, stop=["a"])
    options = {"kind": {"service_tier": "auto", "metadata": {}}}
    counted = DIALECT.encode_count(replace(request, provider_options=options), AIM)
    assert counted is not None
    assert counted.path == "/v1/messages/count_tokens"
    asked_whole = json.loads(encode(request).body)
    assert json.loads(counted.body) == {name: asked_whole[name] for name in ("model", "system", "messages", "tools")}
    assert DIALECT.decode_count(b' {"input_tokens":2095}\n') == 2095


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"input_tokens":null}', b'{"input_tokens":-1}'])
def test_a_count_that_is_none_is_malformed(body: bytes) -> None:
    with pytest.raises(SidecarError):
        DIALECT.decode_count(body)


def test_there_are_no_embeddings() -> None:
    with pytest.raises(SidecarError) as caught:
        DIALECT.encode_embeddings(EmbeddingRequest(input=["a"]), AIM)
    assert caught.value.type == "unsupported_feature"
    with pytest.raises(SidecarError):
        DIALECT.decode_embeddings(b"{}")


def test_a_host_may_have_an_error_instead_of_warnings() -> None:
    with pytest.raises(SidecarError) as caught:
        encode(ChatRequest(messages=[HELLO], seed=7, on_unsupported="error"))
    assert (caught.value.type, caught.value.details["param"]) == ("unsupported_parameter", "seed")
