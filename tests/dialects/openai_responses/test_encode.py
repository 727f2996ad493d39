from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from responses_dialect import AIM, ELSEWHERE, body_of, opaque

from sidecar.dialects.contract import HttpRequest
from sidecar.dialects.openai_responses import DIALECT
from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.shaping import Shaping
from sidecar.dialects.traits import ModelTraits
from sidecar.schema.chat import (
    Base64Source,
    CacheHint,
    ChatRequest,
    File,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    NamedTool,
    ProviderTool,
    Reasoning,
    ReasoningOptions,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    UrlSource,
    Warning,
)
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError

HI = ChatRequest(messages=[Message("user", "hi")])
DATA = Base64Source(Raw(b'"aGVsbG8="'))
SPEECH = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
PLAIN = {"model": "m-1", "input": [SPEECH], "store": False, "stream": True, "include": ["reasoning.encrypted_content"]}
CACHED = Warning("unsupported_parameter", "The provider decides by itself what it caches; it was left out.", "cache")


def inputs_of(*messages: Message) -> Any:
    return body_of(ChatRequest(messages=list(messages)))["input"]


def encoded(request: ChatRequest, **aim: Any) -> HttpRequest:
    return DIALECT.encode_request(request, replace(AIM, **aim))


def warned(request: HttpRequest) -> list[str | None]:
    return [warning.param for warning in request.warnings]


def test_a_question_is_asked_for_a_stream_that_nobody_keeps() -> None:
    assert body_of(HI) == PLAIN


def test_everything_that_can_be_asked_for_is_written() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=x)"}}}
    request = ChatRequest(
        messages=[Message("user", "hi")],
        tools=[
            FunctionTool("f", "Does f.", schema),
            FunctionTool("g"),
            FunctionTool("h", None, schema, strict=True),
            ProviderTool({"type": "web_search", "filters": {"allowed_domains": ["a.test"]}}),
        ],
        tool_choice=NamedTool("f"),
        parallel_tool_calls=False,
        response_format=JsonSchemaFormat(schema, "out", "An answer."),
        max_tokens=100,
        temperature=0.5,
        top_p=0.9,
        reasoning=ReasoningOptions("high"),
        provider_options={
            "kind": {"text": {"verbosity": "low"}, "metadata": {"a": "b"}, "store": True},
            "here": {"reasoning": {"summary": "detailed"}},
        },
    )
    strict = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    empty = {"type": "object", "properties": {}}
    assert body_of(request) == PLAIN | {
        "tools": [
            {"type": "function", "name": "f", "description": "Does f.", "parameters": schema, "strict": False},
            {"type": "function", "name": "g", "parameters": empty, "strict": False},
            {"type": "function", "name": "h", "parameters": strict, "strict": True},
            {"type": "web_search", "filters": {"allowed_domains": ["a.test"]}},
        ],
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "text": {
            "format": {
                "type": "json_schema",
                "name": "out",
                "description": "An answer.",
                "schema": schema,
                "strict": False,
            },
            "verbosity": "low",
        },
        "max_output_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "reasoning": {"effort": "high", "summary": "detailed"},
        "metadata": {"a": "b"},
        "store": True,
    }


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_a_choice_of_tools_is_passed_on(choice: Any) -> None:
    request = replace(HI, tools=[FunctionTool("f")], tool_choice=choice)
    assert body_of(request)["tool_choice"] == choice


def test_strict_answers_are_asked_for_with_a_strict_schema() -> None:
    wanted = JsonSchemaFormat({"type": "object", "properties": {"a": {"type": "integer"}}}, strict=True)
    assert body_of(replace(HI, response_format=wanted))["text"] == {
        "format": {
            "type": "json_schema",
            "name": "answer",
            "schema": {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "required": ["a"],
                "additionalProperties": False,
            },
            "strict": True,
        }
    }


def test_any_object_is_asked_for_with_the_word_that_it_takes() -> None:
    body = body_of(replace(HI, response_format=JsonFormat()))
    assert body["text"] == {"format": {"type": "json_object"}}
    assert body["input"][0]["content"] == [{"type": "input_text", "text": "Answer with a JSON object."}]
    said = ChatRequest(messages=[Message("user", "As JSON, please.")], response_format=JsonFormat())
    assert len(body_of(said)["input"]) == 1


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        (ReasoningOptions("none"), {"effort": "none"}),
        (ReasoningOptions("low"), {"effort": "low", "summary": "auto"}),
        (ReasoningOptions(), {"summary": "auto"}),
    ],
)
def test_reasoning_is_asked_for_with_a_summary(wanted: ReasoningOptions, asked: Any) -> None:
    assert body_of(replace(HI, reasoning=wanted))["reasoning"] == asked


def test_what_the_format_has_no_word_for_is_told() -> None:
    request = replace(
        HI, top_k=3, seed=1, frequency_penalty=0.1, presence_penalty=0.1, reasoning=ReasoningOptions(None, 1000)
    )
    found = encoded(request)
    assert msgspec.json.decode(found.body) == PLAIN | {"reasoning": {"summary": "auto"}}
    assert warned(found) == ["frequency_penalty", "presence_penalty", "seed", "top_k", "reasoning.budget_tokens"]
    with pytest.raises(SidecarError) as raised:
        encoded(replace(request, on_unsupported="error"))
    assert raised.value.type == "unsupported_parameter"


def test_stop_sequences_are_left_to_whoever_reads_the_answer() -> None:
    found = encoded(replace(HI, stop=["END"]))
    assert (msgspec.json.decode(found.body), found.warnings, found.shaping) == (PLAIN, (), Shaping(stop=("END",)))


def test_a_model_that_does_not_reason_is_not_asked_for_reasoning() -> None:
    found = encoded(replace(HI, reasoning=ReasoningOptions("high")), traits=ModelTraits(efforts=()))
    assert msgspec.json.decode(found.body) == {n: v for n, v in PLAIN.items() if n != "include"}
    assert warned(found) == ["reasoning"]


def test_what_the_model_was_found_not_to_take_is_left_out() -> None:
    request = replace(HI, max_tokens=5, temperature=1.0, reasoning=ReasoningOptions("low"))
    found = encoded(request, lacks=frozenset({"max_tokens", "temperature", "opaque", "reasoning.summary"}))
    body = {n: v for n, v in PLAIN.items() if n != "include"} | {"reasoning": {"effort": "low"}}
    assert msgspec.json.decode(found.body) == body
    assert sorted(map(str, warned(found))) == ["max_tokens", "temperature"]


def test_padding_is_turned_off_where_the_server_pads() -> None:
    found = encoded(HI, quirks=ChatQuirks(obfuscation=True))
    assert msgspec.json.decode(found.body) == PLAIN | {"stream_options": {"include_obfuscation": False}}


def test_instructions_are_messages() -> None:
    asked = [
        Message("system", "Be brief."),
        Message("user", "hi"),
        Message("developer", [Text("Now "), Text("rhyme.")]),
    ]
    brief = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be brief."}]}
    rhyme = [{"type": "input_text", "text": "Now "}, {"type": "input_text", "text": "rhyme."}]
    assert inputs_of(*asked) == [brief, SPEECH, {"type": "message", "role": "developer", "content": rhyme}]
    found = encoded(ChatRequest(messages=asked), quirks=ChatQuirks())
    assert [item["role"] for item in msgspec.json.decode(found.body)["input"]] == ["system", "user", "system"]


def test_files_are_sent_in_the_form_of_their_kind() -> None:
    png, pdf = "data:image/png;base64,aGVsbG8=", "data:application/pdf;base64,aGVsbG8="
    assert inputs_of(
        Message(
            "user",
            [
                Text("Look:"),
                File("image/png", DATA),
                File("image/jpeg", UrlSource("https://a.test/b.jpg"), detail="low"),
                File("application/pdf", DATA, "a.pdf"),
                File("application/pdf", DATA),
                File("application/pdf", UrlSource("https://a.test/b.pdf")),
                File("text/plain", DATA, "a.txt"),
            ],
        )
    )[0]["content"] == [
        {"type": "input_text", "text": "Look:"},
        {"type": "input_image", "image_url": png, "detail": "auto"},
        {"type": "input_image", "image_url": "https://a.test/b.jpg", "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": pdf},
        {"type": "input_file", "filename": "document.pdf", "file_data": pdf},
        {"type": "input_file", "file_url": "https://a.test/b.pdf"},
        {"type": "input_text", "text": "a.txt\n\nhello"},
    ]


@pytest.mark.parametrize(
    ("part", "aim"),
    [
        (File("audio/wav", DATA), {}),
        (File("video/mp4", DATA), {}),
        (File("application/zip", DATA), {}),
        (File("text/plain", UrlSource("https://a.test/")), {}),
        (File("image/png", DATA), {"traits": ModelTraits(files=frozenset())}),
        (File("image/png", UrlSource("https://a.test/")), {"quirks": ChatQuirks(image_urls=False)}),
        (Reasoning("Hm."), {}),
    ],
)
def test_what_cannot_be_sent_is_refused(part: Any, aim: dict[str, Any]) -> None:
    with pytest.raises(SidecarError) as raised:
        encoded(ChatRequest(messages=[Message("user", [part])]), **aim)
    assert raised.value.type == "unsupported_feature"


@pytest.mark.parametrize("part", [File("image/png", DATA), ToolCall("c", "f", "{}")])
def test_instructions_hold_text_only(part: Any) -> None:
    with pytest.raises(SidecarError) as raised:
        encoded(ChatRequest(messages=[Message("system", [part])]))
    assert raised.value.type == "unsupported_feature"


@pytest.mark.parametrize(
    ("result", "output"),
    [
        (ToolResult("c", "18 °C"), "18 °C"),
        (ToolResult("c", ""), ""),
        (ToolResult("c", [Text("a"), Text(""), Text("b")]), "a\nb"),
        (ToolResult("c", "gone", is_error=True), "Error: gone"),
        (
            ToolResult("c", [Text("a"), File("application/pdf", UrlSource("https://a.test/b.pdf"))]),
            [{"type": "input_text", "text": "a"}, {"type": "input_file", "file_url": "https://a.test/b.pdf"}],
        ),
        (
            ToolResult("c", [File("image/png", DATA)], is_error=True),
            [
                {"type": "input_text", "text": "The tool failed."},
                {"type": "input_image", "image_url": "data:image/png;base64,aGVsbG8=", "detail": "auto"},
            ],
        ),
    ],
)
def test_results_of_tools_may_hold_files(result: ToolResult, output: Any) -> None:
    call = Message("assistant", [ToolCall("c", "f", " ")])
    assert inputs_of(Message("user", "hi"), call, Message("tool", [result])) == [
        SPEECH,
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": output},
    ]


def test_a_call_that_nobody_answered_is_answered() -> None:
    found = encoded(ChatRequest(messages=[Message("assistant", [ToolCall("c", "f", "{}")]), Message("user", "hi")]))
    assert msgspec.json.decode(found.body)["input"] == [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "Error: The tool was not run."},
        SPEECH,
    ]
    assert [warning.type for warning in found.warnings] == ["conversation_changed"]


def test_what_the_model_said_is_one_message() -> None:
    said = [Text("Yes."), Text(""), Text(" Sure."), Refusal("No."), File("image/png", DATA)]
    found = encoded(ChatRequest(messages=[Message("user", "hi"), Message("assistant", said)]))
    assert msgspec.json.decode(found.body)["input"][1:] == [
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "Yes."},
                {"type": "output_text", "text": " Sure."},
                {"type": "refusal", "refusal": "No."},
            ],
        }
    ]
    assert [warning.type for warning in found.warnings] == ["conversation_changed"]


def test_a_conversation_that_says_nothing_goes_on() -> None:
    content = [{"type": "input_text", "text": "Continue."}]
    assert inputs_of(Message("user", "")) == [{"type": "message", "role": "user", "content": content}]


def test_marks_for_the_cache_go_where_the_model_takes_them() -> None:
    request = ChatRequest(
        messages=[
            Message("system", [Text("Long.", cache=CacheHint())]),
            Message("user", [File("application/pdf", DATA, cache=CacheHint("1h"))]),
            Message("assistant", [ToolCall("c", "f", "{}")]),
            Message("tool", [ToolResult("c", "a", cache=CacheHint())]),
        ]
    )
    mark = {"prompt_cache_breakpoint": {"mode": "explicit"}}
    found = encoded(request, traits=ModelTraits(cache_marks=True))
    items = msgspec.json.decode(found.body)["input"]
    assert found.warnings == ()
    assert items[0]["content"] == [{"type": "input_text", "text": "Long.", **mark}]
    assert items[1]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}
    assert items[3]["output"] == [{"type": "input_text", "text": "a", **mark}]
    for aim in ({}, {"traits": ModelTraits(cache_marks=True), "lacks": frozenset({"cache"})}):
        left = encoded(request, **aim)
        assert b"prompt_cache" not in left.body
        assert left.warnings == (CACHED,)


def test_a_tool_cannot_be_marked_for_the_cache() -> None:
    assert encoded(replace(HI, tools=[FunctionTool("f", cache=CacheHint())])).warnings == (CACHED,)


def test_data_that_is_not_json_is_refused() -> None:
    broken = replace(opaque(1), data="{")
    with pytest.raises(SidecarError) as raised:
        encoded(ChatRequest(messages=[Message("assistant", [Reasoning(opaque=broken), Text("x")])]))
    assert raised.value.type == "invalid_params"


def test_data_of_another_model_stays_behind_and_that_is_told() -> None:
    said = [
        Reasoning("Hm.", opaque=opaque({"type": "reasoning"}, ELSEWHERE)),
        ToolCall("c", "f", "{}", opaque(1, ELSEWHERE)),
    ]
    found = encoded(ChatRequest(messages=[Message("assistant", said), Message("tool", [ToolResult("c", "a")])]))
    assert [item["type"] for item in msgspec.json.decode(found.body)["input"]] == [
        "function_call",
        "function_call_output",
    ]
    assert [warning.type for warning in found.warnings] == ["opaque_dropped"]


def test_tokens_are_counted_for_the_same_question_where_the_server_counts() -> None:
    request = replace(
        HI,
        tools=[FunctionTool("f")],
        max_tokens=5,
        temperature=0.5,
        reasoning=ReasoningOptions("low"),
        response_format=JsonSchemaFormat({}),
    )
    aim = replace(AIM, quirks=ChatQuirks(developer_role=True, counts_input=True, obfuscation=True))
    found = DIALECT.encode_count(request, aim)
    assert found is not None
    whole = msgspec.json.decode(DIALECT.encode_request(request, aim).body)
    kept = {name: whole[name] for name in ("model", "input", "tools", "text", "reasoning")}
    assert (found.path, msgspec.json.decode(found.body)) == ("/responses/input_tokens", kept)
    assert DIALECT.encode_count(request, AIM) is None
    assert DIALECT.decode_count(b'{"object":"response.input_tokens","input_tokens":11}') == 11
    with pytest.raises(SidecarError) as raised:
        DIALECT.decode_count(b'{"object":"response.input_tokens"}')
    assert raised.value.type == "malformed_response"


def test_models_and_vectors_are_those_of_the_older_format() -> None:
    page = DIALECT.decode_models(b'{"data":[{"id":"m-1"},{"id":"m-2"}]}', "here")
    assert [(model.id, model.provider) for model in page.models] == [("m-1", "here"), ("m-2", "here")]
    assert DIALECT.models_path == "/models"
    assert DIALECT.encode_embeddings(EmbeddingRequest(input=["a"]), AIM).path == "/embeddings"
    assert DIALECT.decode_embeddings(b'{"data":[{"index":0,"embedding":[1.0]}]}').vectors == [[1.0]]
