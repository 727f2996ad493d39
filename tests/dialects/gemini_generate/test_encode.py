"""Requests of generateContent: options, tools, formats."""

from typing import Any

import msgspec
import pytest
from generate_dialect import SECOND, THIRD, aim, body_of, written

from sidecar.dialects.gemini_generate import DIALECT
from sidecar.dialects.traits import ModelTraits
from sidecar.schema.chat import (
    ChatRequest,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    NamedTool,
    ProviderTool,
    ReasoningOptions,
)
from sidecar.schema.errors import SidecarError

HI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
LOOKUP = FunctionTool("lookup", "Look it up.", SCHEMA)
DECLARED = {"name": "lookup", "description": "Look it up.", "parametersJsonSchema": SCHEMA}
SEARCH = ProviderTool({"googleSearch": {}})


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("m-1", "/models/m-1:streamGenerateContent?alt=sse"),
        ("models/m-1", "/models/m-1:streamGenerateContent?alt=sse"),
        ("tunedModels/mine", "/tunedModels/mine:streamGenerateContent?alt=sse"),
        ("a b?c#d", "/models/a%20b%3Fc%23d:streamGenerateContent?alt=sse"),
    ],
)
def test_the_model_is_part_of_the_path(model: str, path: str) -> None:
    assert DIALECT.encode_request(ChatRequest(messages=[]), aim(model=model)).path == path


def test_a_question_is_written() -> None:
    messages = [Message("system", "Be brief."), Message("developer", "And kind."), Message("user", "hi")]
    assert (
        body_of(messages=messages)
        == {"systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "And kind."}]}} | HI
    )


def test_every_option_has_its_word() -> None:
    assert body_of(
        max_tokens=100,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        stop=["END"],
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        reasoning=ReasoningOptions("high"),
    ) == HI | {
        "generationConfig": {
            "maxOutputTokens": 100,
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 40,
            "stopSequences": ["END"],
            "seed": 7,
            "frequencyPenalty": 0.1,
            "presencePenalty": 0.2,
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "high"},
        }
    }


def test_more_stop_sequences_than_the_server_takes_are_looked_for_here() -> None:
    stop = ["a", "b", "c", "d", "e", "f"]
    encoded = DIALECT.encode_request(ChatRequest(messages=[Message("user", "hi")], stop=stop), aim())
    assert (msgspec.json.decode(encoded.body), encoded.shaping.stop, encoded.warnings) == (HI, tuple(stop), ())


def test_what_has_no_word_is_left_out_with_a_warning() -> None:
    body, warnings = written(
        aim(SECOND), parallel_tool_calls=False, tools=[LOOKUP], context_size=10, presence_penalty=1.0
    )
    assert "generationConfig" in body
    assert body["generationConfig"] == {"thinkingConfig": {"includeThoughts": True}}
    assert warnings == [
        "The provider takes no `context_size`; it was left out.",
        "The provider takes no `parallel_tool_calls`; it was left out.",
        "The model takes no `presence_penalty`; it was left out.",
    ]
    with pytest.raises(SidecarError) as caught:
        written(aim(), context_size=10, on_unsupported="error")
    assert caught.value.type == "unsupported_parameter"


@pytest.mark.parametrize(
    ("traits", "reasoning", "config"),
    [
        (None, None, None),
        (None, ReasoningOptions("none"), {"thinkingBudget": 0}),
        (None, ReasoningOptions("max"), {"includeThoughts": True, "thinkingLevel": "xhigh"}),
        (None, ReasoningOptions(None, 500), {"includeThoughts": True, "thinkingBudget": 500}),
        (THIRD, None, {"includeThoughts": True}),
        (THIRD, ReasoningOptions("none"), {"includeThoughts": True, "thinkingLevel": "low"}),
        (THIRD, ReasoningOptions(None, 30_000), {"includeThoughts": True, "thinkingLevel": "high"}),
        (SECOND, None, {"includeThoughts": True}),
        (SECOND, ReasoningOptions("none"), {"thinkingBudget": 0}),
        (SECOND, ReasoningOptions("low"), {"includeThoughts": True, "thinkingBudget": 2048}),
        (SECOND, ReasoningOptions("max"), {"includeThoughts": True, "thinkingBudget": 24_576}),
        (SECOND, ReasoningOptions("low", 9), {"includeThoughts": True, "thinkingBudget": 9}),
        (SECOND, ReasoningOptions(None, 99_999), {"includeThoughts": True, "thinkingBudget": 24_576}),
        (ModelTraits(efforts=()), ReasoningOptions("high"), None),
        (ModelTraits(default_effort="none", efforts=("none", "low")), None, None),
        (
            ModelTraits(efforts=("low",), budgets=(128, 999)),
            ReasoningOptions(None, 0),
            {"includeThoughts": True, "thinkingBudget": 128},
        ),
    ],
)
def test_thinking_is_asked_for_in_the_words_of_the_model(traits: Any, reasoning: Any, config: Any) -> None:
    body = body_of(traits, reasoning=reasoning)
    assert body == HI | ({"generationConfig": {"thinkingConfig": config}} if config else {})


def test_a_model_that_takes_no_word_about_thinking_is_told_none() -> None:
    body, warnings = written(aim(THIRD, lacks=frozenset({"reasoning"})), reasoning=ReasoningOptions("high"))
    assert (body, warnings) == (HI, ["The provider takes no `reasoning`; it was left out."])


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (None, None),
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (NamedTool("lookup"), {"mode": "ANY", "allowedFunctionNames": ["lookup"]}),
    ],
)
def test_functions_and_the_choice_among_them_are_written(choice: Any, config: Any) -> None:
    told = {"toolConfig": {"functionCallingConfig": config}} if config else {}
    assert body_of(tools=[LOOKUP], tool_choice=choice) == HI | {"tools": [{"functionDeclarations": [DECLARED]}]} | told


def test_strict_functions_are_called_by_their_schemas() -> None:
    tool = FunctionTool("f", strict=True)
    assert body_of(tools=[tool])["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert "toolConfig" not in body_of(tools=[tool], response_format=JsonFormat())


def test_the_provider_s_own_tools_are_passed_through() -> None:
    assert body_of(tools=[SEARCH, LOOKUP]) == HI | {
        "tools": [{"googleSearch": {}}, {"functionDeclarations": [DECLARED]}],
        "toolConfig": {"includeServerSideToolInvocations": True},
    }
    assert body_of(tools=[SEARCH]) == HI | {"tools": [{"googleSearch": {}}]}
    assert body_of(tools=[SEARCH], tool_choice="none") == HI
    assert written(aim(), tools=[SEARCH], tool_choice="required")[1] == [
        "The provider's own tools cannot be made a must; it was left out."
    ]


@pytest.mark.parametrize("schema", [{}, {"type": "object", "properties": {}, "additionalProperties": False}])
def test_a_function_without_parameters_has_no_schema(schema: dict[str, Any]) -> None:
    declared = {"functionDeclarations": [{"name": "now"}]}
    assert body_of(tools=[FunctionTool("now", input_schema=schema)])["tools"] == [declared]


def test_json_is_asked_for_by_its_schema() -> None:
    config = {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    assert body_of(response_format=JsonSchemaFormat(SCHEMA))["generationConfig"] == config
    assert body_of(THIRD, response_format=JsonSchemaFormat(SCHEMA), tools=[LOOKUP])["generationConfig"] == config | {
        "thinkingConfig": {"includeThoughts": True}
    }
    told = body_of(response_format=JsonFormat(), messages=[Message("user", "JSON please")])
    assert told["generationConfig"] == {"responseMimeType": "application/json"}


@pytest.mark.parametrize(("traits", "choice"), [(SECOND, None), (THIRD, "required"), (THIRD, NamedTool("lookup"))])
def test_json_beside_tools_is_asked_for_in_words_where_there_is_no_other_way(traits: ModelTraits, choice: Any) -> None:
    members: dict[str, Any] = {"response_format": JsonSchemaFormat(SCHEMA), "tools": [LOOKUP], "tool_choice": choice}
    encoded = DIALECT.encode_request(ChatRequest(messages=[Message("user", "hi")], **members), aim(traits))
    body = msgspec.json.decode(encoded.body)
    assert body["generationConfig"] == {"thinkingConfig": {"includeThoughts": True}}
    assert "JSON" in body["systemInstruction"]["parts"][0]["text"]
    assert (encoded.shaping.structured, encoded.shaping.fenced) == ("prompt", True)


def test_schemas_are_written_in_words_that_the_server_knows() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "const": {"const": "a", "title": "A"},
            "number": {"const": 1},
            "flag": {"const": True},
            "nothing": {"const": None},
            "odd": {"const": {"a": 1}},
            "ref": {"$ref": "#/definitions/Node", "description": "a node"},
            "list": {"type": "array", "items": {"anyOf": [{"const": "x"}, {"type": "null"}]}},
        },
        "definitions": {"Node": {"type": "object", "additionalProperties": {"const": 2}, "default": {"const": 3}}},
    }
    assert body_of(response_format=JsonSchemaFormat(schema))["generationConfig"]["responseJsonSchema"] == {
        "type": "object",
        "properties": {
            "const": {"enum": ["a"], "title": "A"},
            "number": {"enum": [1]},
            "flag": {"type": "boolean"},
            "nothing": {"type": "null"},
            "odd": {},
            "ref": {"$ref": "#/$defs/Node"},
            "list": {"type": "array", "items": {"anyOf": [{"enum": ["x"]}, {"type": "null"}]}},
        },
        "$defs": {"Node": {"type": "object", "additionalProperties": {"enum": [2]}, "default": {"const": 3}}},
    }


def test_a_schema_without_a_bottom_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"items": schema}
    with pytest.raises(SidecarError) as caught:
        body_of(response_format=JsonSchemaFormat(schema))
    assert caught.value.type == "invalid_params"


def test_options_of_the_provider_win_and_objects_are_merged() -> None:
    options = {
        "kind": {"generationConfig": {"topK": 3, "mediaResolution": "HIGH"}, "safetySettings": [{"threshold": "OFF"}]},
        "here": {"generationConfig": {"topK": 4}, "cachedContent": "cachedContents/1"},
        "other": {"x": 1},
    }
    assert body_of(temperature=1.0, top_k=2, provider_options=options) == HI | {
        "generationConfig": {"temperature": 1.0, "topK": 4, "mediaResolution": "HIGH"},
        "safetySettings": [{"threshold": "OFF"}],
        "cachedContent": "cachedContents/1",
    }


def test_tokens_are_counted_of_the_whole_question() -> None:
    request = ChatRequest(messages=[Message("user", "hi")], temperature=1.0, context_size=5)
    encoded = DIALECT.encode_count(request, aim())
    assert encoded is not None
    assert encoded.path == "/models/m-1:countTokens"
    assert msgspec.json.decode(encoded.body) == {
        "generateContentRequest": {"model": "models/m-1", "generationConfig": {"temperature": 1.0}} | HI
    }
    assert [warning.param for warning in encoded.warnings] == ["context_size"]
    assert DIALECT.decode_count(b'{"totalTokens": 12, "cachedContentTokenCount": 3}') == 12


@pytest.mark.parametrize("body", [b"{}", b"[]", b"x", b'{"totalTokens":"many"}'])
def test_a_count_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(SidecarError):
        DIALECT.decode_count(body)
