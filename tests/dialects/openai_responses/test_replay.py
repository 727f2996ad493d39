from typing import Any

import msgspec
from msgspec.structs import replace
from responses_dialect import AIM, ELSEWHERE, ORIGIN, added, body_of, completed, delta, done, events_of, opaque

from sidecar.dialects.openai_responses import DIALECT
from sidecar.schema.chat import ChatRequest, Custom, Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from sidecar.transcript import Transcript

USER = Message("user", "Weather?")
ASKED = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weather?"}]}


def answer(*events: Any) -> Message:
    """Return the message that a stream adds up to."""
    transcript = Transcript()
    for event in events_of(*events):
        transcript.add(event)
    return transcript.message(ORIGIN)


def replayed(*messages: Message) -> Any:
    return body_of(ChatRequest(messages=[USER, *messages]))["input"]


def spoken(text: str, **members: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text}]
    return {"type": "message", "role": "assistant", "content": content, **members}


def test_an_answer_goes_back_as_it_came() -> None:
    first = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA", "new": {"x": [1.50]}}
    second = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gBBB"}
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "q"}}
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{}"}
    message = answer(
        done(0, **first),
        done(1, **search),
        delta("output_text", 2, "Let me look.", content_index=0),
        done(2, **spoken("Let me look.", phase="commentary")),
        done(3, **second),
        added(4, **call),
        done(4, **call),
        completed(),
    )
    assert replayed(message, Message("tool", [ToolResult("call_1", "18 °C")])) == [
        ASKED,
        first,
        search,
        spoken("Let me look.", phase="commentary"),
        second,
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "18 °C"},
    ]


def test_data_goes_back_byte_by_byte() -> None:
    item = b'{"type" : "reasoning", "encrypted_content":"gA\\/A", "n": 1.50}'
    event = b'{"type":"response.output_item.done","output_index":0,"item":' + item + b"}"
    message = answer(event, done(1, **spoken("x")), completed())
    assert item in DIALECT.encode_request(ChatRequest(messages=[USER, message]), AIM).body


def test_calls_with_free_text_and_their_results_keep_their_form() -> None:
    call = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "sql", "input": "select 1"}
    message = answer(done(0, **call), completed())
    assert replayed(message, Message("tool", [ToolResult("call_1", "1")])) == [
        ASKED,
        call,
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "1"},
    ]


def test_calls_with_free_text_of_another_model_become_functions() -> None:
    call = ToolCall("call_1", "sql", "select 1", opaque({"type": "custom_tool_call", "call_id": "call_1"}, ELSEWHERE))
    messages = [USER, Message("assistant", [call]), Message("tool", [ToolResult("call_1", "1")])]
    assert msgspec.json.decode(DIALECT.encode_request(ChatRequest(messages=messages), AIM).body)["input"][1:] == [
        {"type": "function_call", "call_id": "call_1", "name": "sql", "arguments": "select 1"},
        {"type": "function_call_output", "call_id": "call_1", "output": "1"},
    ]


def test_reasoning_that_led_to_nothing_stays_behind() -> None:
    thought = Reasoning(opaque=opaque({"type": "reasoning", "encrypted_content": "gAAA"}))
    assert replayed(Message("assistant", [thought]), Message("user", "Well?"))[1:] == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Well?"}]}
    ]


def test_reasoning_in_words_alone_stays_behind() -> None:
    assert replayed(Message("assistant", [Reasoning("Hm.", "summary"), Text("Yes.")]))[1:] == [spoken("Yes.")]


def test_data_of_another_form_is_not_taken_for_reasoning() -> None:
    thought = Reasoning(opaque=opaque([{"type": "reasoning.text"}]))
    assert replayed(Message("assistant", [thought, Text("Yes.")]))[1:] == [spoken("Yes.")]


def test_all_data_stays_behind_where_it_was_refused() -> None:
    parts = [
        Reasoning(opaque=opaque({"type": "reasoning", "encrypted_content": "gAAA"})),
        Custom(opaque({"type": "web_search_call"})),
        Text("Yes.", opaque=Opaque('{"phase":"final_answer"}', ORIGIN)),
    ]
    aim = replace(AIM, lacks=frozenset({"opaque"}))
    found = DIALECT.encode_request(ChatRequest(messages=[USER, Message("assistant", parts)]), aim)
    assert msgspec.json.decode(found.body)["input"][1:] == [spoken("Yes.")]
    assert [warning.type for warning in found.warnings] == ["opaque_dropped"]


def test_messages_of_different_phases_stay_apart() -> None:
    parts = [
        Text("a", opaque=opaque({"phase": "commentary"})),
        Text("b", opaque=opaque({"phase": "commentary"})),
        Text("c", opaque=opaque({"phase": "final_answer"})),
    ]
    both = [{"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}]
    assert replayed(Message("assistant", parts))[1:] == [
        {"type": "message", "role": "assistant", "content": both, "phase": "commentary"},
        spoken("c", phase="final_answer"),
    ]


def test_expanded_calls_go_back_one_by_one() -> None:
    uses = [{"recipient_name": f"functions.{name}", "parameters": {}} for name in "fg"]
    arguments = msgspec.json.encode({"tool_uses": uses}).decode()
    message = answer(
        done(0, type="function_call", call_id="c", name="multi_tool_use.parallel", arguments=arguments), completed()
    )
    results = Message("tool", [ToolResult("c_0", "1"), ToolResult("c_1", "2")])
    assert [(item["type"], item["call_id"]) for item in replayed(message, results)[1:]] == [
        ("function_call", "c_0"),
        ("function_call", "c_1"),
        ("function_call_output", "c_0"),
        ("function_call_output", "c_1"),
    ]
