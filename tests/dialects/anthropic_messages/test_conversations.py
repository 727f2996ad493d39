"""Conversations as turns of blocks."""

import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace
from recorded import AIM, ORIGIN

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.dialects.anthropic_messages.tool_ids import safe_id
from sidecar.dialects.traits import UNKNOWN
from sidecar.providers.anthropic_models import traits_of
from sidecar.schema.chat import (
    Base64Source,
    CacheHint,
    ChatRequest,
    Custom,
    File,
    FunctionTool,
    Message,
    Opaque,
    Origin,
    Reasoning,
    ReasoningOptions,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from sidecar.schema.citations import UrlCitation
from sidecar.schema.errors import SidecarError

Json = dict[str, Any]

HELLO = Message("user", "Hello")
PNG = File("image/png", Base64Source(Raw(b'"cG5n"')))
PNG_WIRE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "cG5n"}}
OTHER = Origin("there", "https://other.test", "m-2")
THOUGHT = '{"type":"thinking","thinking":"Hm.","signature":"c2ln"}'
SEARCH = '{"type":"server_tool_use","id":"s","name":"web_search","input":{"query": "x"}}'

LOST = "Provider data in the conversation comes from another model and was left out."
ENDS = "The conversation ends with words of the model; the user was made to ask for more."
UNFOLLOWED = "Reasoning that the model said nothing after was left out."


def text(words: str, **members: Any) -> Json:
    return {"type": "text", "text": words} | members


def user(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks)}


def model(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks)}


def result(call_id: str = "t", **members: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": call_id} | members


def call(**members: Any) -> Json:
    return {"type": "tool_use", "id": "t", "name": "f", "input": {}} | members


def sent(*messages: Message, lacks: str = "", **traits: Any) -> tuple[list[Json], list[str]]:
    """Return the turns, and the warnings about them."""
    aim = replace(AIM, traits=replace(UNKNOWN, **traits), lacks=frozenset({lacks} - {""}))
    encoded = DIALECT.encode_request(ChatRequest(messages=list(messages)), aim)
    turns: list[Json] = json.loads(encoded.body)["messages"]
    return turns, [warning.message for warning in encoded.warnings]


def assistant(*parts: Any) -> Message:
    return Message("assistant", list(parts))


def answered(*parts: Any, **members: Any) -> list[Message]:
    """Return a conversation in which the tool `f` answered."""
    content = parts[0] if len(parts) == 1 and isinstance(parts[0], str) else list(parts)
    return [HELLO, assistant(ToolCall("t", "f", "{}")), Message("tool", [ToolResult("t", content, **members)])]


def own(data: str) -> Opaque:
    return Opaque(data, ORIGIN)


def test_neighbours_of_one_role_are_one_turn() -> None:
    assert sent(HELLO, Message("user", "You?"), assistant(Text("Yes.")), assistant(Text("I.")), HELLO) == (
        [user(text("Hello"), text("You?")), model(text("Yes."), text("I.")), user(text("Hello"))],
        [],
    )


def test_turns_that_say_nothing_are_left_out() -> None:
    blank = Message("user", " \n")
    silent = assistant(Text(""), Reasoning("Hm."))
    assert sent(blank, HELLO, silent, Message("user", [Text(" "), Text("You?")]), blank) == (
        [user(text("Hello"), text("You?"))],
        [],
    )
    assert sent(blank) == ([user(text("Continue."))], [])
    assert sent(blank, assistant(Text("Yes.")), HELLO)[0] == [
        user(text("Continue.")),
        model(text("Yes.")),
        user(text("Hello")),
    ]


def test_results_come_first_in_one_turn() -> None:
    calls = assistant(Text("Both."), ToolCall("a", "f", '{"n": 1.50}'), ToolCall("b", "f", ""))
    results = [Message("tool", [ToolResult("b", "2")]), HELLO, Message("tool", [ToolResult("a", "1")])]
    encoded = DIALECT.encode_request(ChatRequest(messages=[HELLO, calls, *results]), AIM)
    assert b'"input":{"n": 1.50}' in encoded.body
    assert json.loads(encoded.body)["messages"][1:] == [
        model(text("Both."), call(id="a", input={"n": 1.5}), call(id="b")),
        user(result("a", content="1"), result("b", content="2"), text("Hello")),
    ]


@pytest.mark.parametrize(
    ("messages", "block"),
    [
        (answered("18"), result(content="18")),
        (answered(""), result()),
        (answered("no", is_error=True), result(is_error=True, content="no")),
        (answered("", is_error=True), result(is_error=True, content="The tool failed.")),
        (answered(Text("See:"), Text(" "), PNG), result(content=[text("See:"), PNG_WIRE])),
        (answered(Text("")), result()),
    ],
)
def test_a_result_has_words_and_files(messages: list[Message], block: Json) -> None:
    assert sent(*messages) == ([user(text("Hello")), model(call()), user(block)], [])


@pytest.mark.parametrize("arguments", ["{", "[1]", '"x"', "7", '{"a":"\n"}'])
def test_arguments_that_are_no_object_are_wrapped_in_one(arguments: str) -> None:
    turns, warnings = sent(HELLO, assistant(ToolCall("t", "f", arguments)), Message("tool", [ToolResult("t", "1")]))
    assert turns[1] == model(call(input={"arguments": arguments}))
    assert len(warnings) == 1


def test_ids_of_other_providers_are_written_in_letters_and_digits() -> None:
    calls = [ToolCall("call:1/é", "f", "{}"), ToolCall("call:2/é", "f", "{}"), ToolCall("x" * 65, "f", "{}")]
    results = [ToolResult(one.id, "1") for one in calls]
    turns, _ = sent(HELLO, assistant(*calls), Message("tool", list(results)))
    ids = [block["id"] for block in turns[1]["content"]]
    assert ids == [block["tool_use_id"] for block in turns[2]["content"]]
    assert len(set(ids)) == 3
    assert all(safe_id(one) == one for one in ids)
    assert ids[:2] == [safe_id(one.id) for one in calls[:2]]
    assert safe_id("toolu_01-A") == "toolu_01-A"


def test_the_models_own_data_goes_back_as_it_came_and_in_order() -> None:
    redacted = '{"type":"redacted_thinking","data":"eA=="}'
    caller = '{"type":"tool_use","id":"old","name":"f","input":{},"caller":{"type":"code","tool_id":"s"}}'
    cited = '{"type":"text","text":"Wet.","citations":[{"type":"web_search_result_location","encrypted_index":"eA"}]}'
    parts = [
        Reasoning("Hm.", "summary", own(THOUGHT)),
        Reasoning("", "redacted", own(redacted)),
        Custom(own(SEARCH)),
        Text("Wet.", [UrlCitation("https://w.test/")], opaque=own(cited)),
        ToolCall("t", "f", '{"a": 1}', own(caller)),
    ]
    encoded = DIALECT.encode_request(
        ChatRequest(messages=[HELLO, assistant(*parts), Message("tool", [ToolResult("t", "1")])]), AIM
    )
    assert encoded.warnings == ()
    blocks = b",".join(
        [
            THOUGHT.encode(),
            redacted.encode(),
            SEARCH.encode(),
            cited.encode(),
            b'{"type":"tool_use","id":"t","name":"f","input":{"a": 1},"caller":{"type":"code","tool_id":"s"}}',
        ]
    )
    assert b'"content":[%s]' % blocks in encoded.body


def test_the_data_of_other_models_stays_behind() -> None:
    data = Opaque(THOUGHT, OTHER)
    parts = [Reasoning("Hm.", "full", data), Custom(data), Text("Yes.", opaque=data), ToolCall("t", "f", "{}", data)]
    assert sent(HELLO, assistant(*parts), Message("tool", [ToolResult("t", "1")])) == (
        [user(text("Hello")), model(text("Yes."), call()), user(result(content="1"))],
        [LOST],
    )


def test_all_thoughts_stay_behind_where_the_model_does_not_take_them_back() -> None:
    thought = Reasoning("Hm.", "summary", own(THOUGHT))
    assert sent(HELLO, assistant(thought, Text("Yes.")), HELLO, lacks="opaque") == (
        [user(text("Hello")), model(text("Yes.")), user(text("Hello"))],
        [LOST],
    )


def test_a_turn_does_not_end_with_a_thought() -> None:
    thought = Reasoning("Hm.", "summary", own(THOUGHT))
    assert sent(HELLO, assistant(Text("Yes."), thought), HELLO) == (
        [user(text("Hello")), model(text("Yes.")), user(text("Hello"))],
        [UNFOLLOWED],
    )
    assert sent(HELLO, assistant(thought)) == ([user(text("Hello"))], [UNFOLLOWED])


def test_opaque_data_that_is_no_json_is_refused() -> None:
    with pytest.raises(SidecarError) as caught:
        sent(HELLO, assistant(Custom(own("{"))))
    assert caught.value.type == "invalid_params"


def test_a_refusal_goes_back_as_words() -> None:
    assert sent(HELLO, assistant(Refusal("I will not.")), HELLO)[0][1] == model(text("I will not."))


def test_files_of_an_answer_stay_behind() -> None:
    turns, warnings = sent(HELLO, assistant(Text("See:"), PNG), HELLO)
    assert turns[1] == model(text("See:"))
    assert warnings == ["A file in an answer of the model cannot go back and was left out."]


def test_a_user_says_no_tool_calls() -> None:
    with pytest.raises(SidecarError) as caught:
        sent(Message("user", [ToolCall("t", "f", "{}")]))
    assert caught.value.type == "unsupported_feature"


def test_only_some_models_continue_their_own_words() -> None:
    begun = [HELLO, assistant(Text("The answer is \n"))]
    assert sent(*begun, prefill=True) == ([user(text("Hello")), model(text("The answer is"))], [])
    assert sent(*begun) == ([user(text("Hello")), model(text("The answer is \n")), user(text("Continue."))], [ENDS])


def test_a_model_that_thinks_does_not_continue_its_own_words() -> None:
    request = ChatRequest(messages=[HELLO, assistant(Text("So"))], reasoning=ReasoningOptions("low"))
    encoded = DIALECT.encode_request(request, replace(AIM, traits=traits_of("claude-haiku-4-5")))
    assert json.loads(encoded.body)["messages"][-1] == user(text("Continue."))


def test_an_answer_that_paused_goes_on_by_itself() -> None:
    paused = assistant(Text("Let me see."), Custom(own(SEARCH)))
    turns, warnings = sent(HELLO, paused)
    assert turns == [user(text("Hello")), model(text("Let me see."), json.loads(SEARCH))]
    assert warnings == []
    elsewhere = assistant(Text("Let me see."), Custom(Opaque(SEARCH, OTHER)))
    assert sent(HELLO, elsewhere)[0][-1] == user(text("Continue."))


SHORT, LONG = CacheHint(), CacheHint("1h")


def marks(*hints: CacheHint | None, tools: list[FunctionTool] | None = None, lacks: str = "") -> Any:
    """Return the ttl of each mark where a tool, the instructions and the words of the user carry hints."""
    messages = [Message("system", [Text("Be brief.", cache=hints[0])])]
    messages += [Message("user", [Text(str(n), cache=hint) for n, hint in enumerate(hints[1:])])]
    aim = replace(AIM, lacks=frozenset({lacks} - {""}))
    encoded = DIALECT.encode_request(ChatRequest(messages=messages, tools=list(tools or [])), aim)
    body = json.loads(encoded.body)
    blocks = [*body.get("tools", []), *body["system"], *body["messages"][0]["content"]]
    return [block.get("cache_control", {}).get("ttl") for block in blocks], [w.param for w in encoded.warnings]


def test_cache_hints_become_marks() -> None:
    assert marks(LONG, None, SHORT, tools=[FunctionTool("f", cache=LONG)]) == (["1h", "1h", None, "5m"], [])


def test_the_last_marks_count_where_there_are_too_many() -> None:
    assert marks(SHORT, SHORT, SHORT, SHORT, SHORT, SHORT) == ([None, None, "5m", "5m", "5m", "5m"], ["cache"])


def test_a_mark_lasts_as_long_as_those_behind_it() -> None:
    assert marks(SHORT, SHORT, LONG, SHORT) == (["1h", "1h", "1h", "5m"], [])


def test_marks_are_left_out_where_they_are_not_taken() -> None:
    assert marks(SHORT, LONG, lacks="cache") == ([None, None], ["cache"])


def test_files_and_results_carry_marks() -> None:
    turns, _ = sent(*answered(Text("See:", cache=SHORT), PNG), Message("user", [replace(PNG, cache=LONG)]))
    mark = {"type": "ephemeral", "ttl": "1h"}
    assert turns[2] == user(
        result(content=[text("See:"), PNG_WIRE], cache_control=mark), PNG_WIRE | {"cache_control": mark}
    )
