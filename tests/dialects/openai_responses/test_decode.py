from decimal import Decimal
from typing import Any

import msgspec
import pytest
from responses_dialect import AIM, ORIGIN, added, completed, delta, done, events_of

from sidecar.dialects.openai_responses import DIALECT
from sidecar.framing.frame import Frame
from sidecar.schema.chat import Custom, FinishReason, Opaque, Reasoning, Refusal, Text, ToolCall
from sidecar.schema.citations import DocumentCitation, UrlCitation
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import (
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    UsageDelta,
)

STOP = FinishReason("stop", "completed")
CALLS = FinishReason("tool_calls", "completed")


def kept(event: dict[str, Any]) -> Opaque:
    return Opaque(msgspec.json.encode(event["item"]).decode(), ORIGIN)


def words(*texts: str, **members: Any) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": "output_text", "text": text} for text in texts], **members}


def test_words_go_out_as_they_come() -> None:
    assert events_of(
        {"type": "response.created", "response": {"status": "in_progress", "tools": []}},
        added(0, type="message", content=[]),
        delta("output_text", 0, "Hel", content_index=0),
        delta("output_text", 0, "lo", content_index=0),
        delta("output_text", 0, "Bye", content_index=1),
        {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "Hello"},
        done(0, **words("Hello", "Bye")),
        completed(),
    ) == [TextDelta(0, "Hel"), TextDelta(0, "lo"), TextDelta(1, "Bye"), STOP]


def test_the_phase_of_a_message_is_kept_for_each_of_its_parts() -> None:
    phase = Opaque('{"phase":"commentary"}', ORIGIN)
    assert events_of(
        delta("output_text", 0, "a", content_index=0),
        done(0, **words("a", "b", phase="commentary")),
        completed(),
    ) == [
        TextDelta(0, "a"),
        TextDelta(1, "b"),
        PartDelta(0, Text("a", opaque=phase)),
        PartDelta(1, Text("b", opaque=phase)),
        STOP,
    ]


def test_what_was_not_streamed_is_taken_from_the_whole_item() -> None:
    assert events_of(
        delta("output_text", 0, "Hel", content_index=0),
        done(0, **words("Hello")),
        done(1, type="function_call", call_id="c", name="f", arguments='{"a":1}'),
        done(2, type="reasoning", summary=[{"type": "summary_text", "text": "Hm."}]),
        completed(),
    ) == [
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        ToolCallDelta(1, "c", "f", '{"a":1}'),
        ReasoningDelta(2, "Hm."),
        PartDelta(2, Reasoning("Hm.", "summary")),
        CALLS,
    ]


def test_what_was_streamed_counts_where_the_whole_item_says_otherwise() -> None:
    assert events_of(
        delta("output_text", 0, "Hello", content_index=0),
        done(0, **words("Goodbye")),
        added(1, type="function_call", call_id="c", name="f"),
        delta("function_call_arguments", 1, '{"a":1}'),
        done(1, type="function_call", call_id="c2", name="g", arguments='{"b":1}'),
        completed(),
    ) == [TextDelta(0, "Hello"), ToolCallDelta(1, "c", "f"), ToolCallDelta(1, arguments='{"a":1}'), CALLS]


def test_a_refusal_is_told_from_an_answer() -> None:
    assert events_of(
        delta("refusal", 0, "I can", content_index=0),
        delta("refusal", 0, "not.", content_index=0),
        done(0, type="message", content=[{"type": "refusal", "refusal": "I cannot."}], phase="final_answer"),
        completed(),
    ) == [
        RefusalDelta(0, "I can"),
        RefusalDelta(0, "not."),
        PartDelta(0, Refusal("I cannot.", Opaque('{"phase":"final_answer"}', ORIGIN))),
        FinishReason("refusal", "completed"),
    ]


def test_a_summary_has_paragraphs_and_goes_back_as_it_came() -> None:
    end = done(0, type="reasoning", id="rs_1", summary=[], encrypted_content="gAAA")
    assert events_of(
        added(0, type="reasoning", id="rs_0", summary=[], encrypted_content="too early"),
        delta("reasoning_summary_text", 0, "First", summary_index=0),
        delta("reasoning_summary_text", 0, " this.", summary_index=0),
        delta("reasoning_summary_text", 0, "Then that.", summary_index=1),
        end,
        completed(),
    ) == [
        ReasoningDelta(0, "First"),
        ReasoningDelta(0, " this."),
        ReasoningDelta(0, "\n\nThen that."),
        PartDelta(0, Reasoning("First this.\n\nThen that.", "summary", kept(end))),
        STOP,
    ]


def test_thoughts_in_full_come_before_their_summary() -> None:
    content = [{"type": "reasoning_text", "text": "All of it."}]
    end = done(0, type="reasoning", content=content, summary=[{"type": "summary_text", "text": "Some."}])
    part = PartDelta(0, Reasoning("All of it.", "full", kept(end)))
    streamed = [delta("reasoning_text", 0, "All of it.", content_index=0), delta("reasoning_summary_text", 0, "Some.")]
    assert events_of(*streamed, end, completed()) == [ReasoningDelta(0, "All of it."), part, STOP]
    assert events_of(end, completed()) == [ReasoningDelta(0, "All of it."), part, STOP]


def test_withheld_reasoning_is_a_part_only_if_it_can_go_back() -> None:
    end = done(1, type="reasoning", summary=[], encrypted_content="gAAA")
    assert events_of(done(0, type="reasoning", summary=[], content=[]), end, completed()) == [
        PartDelta(0, Reasoning("", "redacted", kept(end))),
        STOP,
    ]


def test_calls_at_the_same_time_are_told_apart_by_their_place_and_not_by_ids() -> None:
    assert events_of(
        added(0, type="function_call", id="fc_1", call_id="call_1", name="f", arguments=""),
        added(1, type="function_call", id="fc_2", call_id="call_2", name="g", arguments=""),
        delta("function_call_arguments", 1, '{"b"', item_id="changed"),
        delta("function_call_arguments", 0, '{"a"', item_id="changed"),
        delta("function_call_arguments", 1, ":2}", item_id="changed again"),
        delta("function_call_arguments", 0, ":1}"),
        done(0, type="function_call", id="x", call_id="call_1", name="f", arguments='{"a":1}'),
        done(1, type="function_call", id="y", call_id="call_2", name="g", arguments='{"b":2}'),
        completed(),
    ) == [
        ToolCallDelta(0, "call_1", "f"),
        ToolCallDelta(1, "call_2", "g"),
        ToolCallDelta(1, arguments='{"b"'),
        ToolCallDelta(0, arguments='{"a"'),
        ToolCallDelta(1, arguments=":2}"),
        ToolCallDelta(0, arguments=":1}"),
        CALLS,
    ]


@pytest.mark.parametrize("end", [[done(0, type="function_call", call_id="c", name="f", arguments="")], []])
def test_a_call_without_arguments_gets_an_empty_object(end: list[Any]) -> None:
    begin = added(0, type="function_call", call_id="c", name="f", arguments="")
    assert events_of(begin, *end, completed()) == [ToolCallDelta(0, "c", "f"), ToolCallDelta(0, arguments="{}"), CALLS]


def test_arguments_that_come_as_an_object_are_written_out() -> None:
    end = done(0, type="function_call", call_id="c", name="f", arguments={"a": 1})
    assert events_of(end, completed()) == [ToolCallDelta(0, "c", "f", '{"a":1}'), CALLS]


def test_a_call_without_an_id_gets_one() -> None:
    end = done(0, type="function_call", name="f", arguments="{}")
    assert events_of(end, completed()) == [ToolCallDelta(0, "call_0", "f", "{}"), CALLS]


def test_a_call_whose_beginning_is_lost_is_announced_at_its_end() -> None:
    assert events_of(
        delta("function_call_arguments", 0, '{"a":'),
        delta("function_call_arguments", 0, "1}"),
        done(0, type="function_call", call_id="c", name="f", arguments='{"a":1}'),
        completed(),
    ) == [ToolCallDelta(0, "c", "f", '{"a":1}'), CALLS]


def test_a_call_with_free_text_keeps_its_form() -> None:
    end = done(0, type="custom_tool_call", call_id="c", name="sql", input="select 1")
    assert events_of(
        added(0, type="custom_tool_call", call_id="c", name="sql", input=""),
        delta("custom_tool_call_input", 0, "select"),
        end,
        completed(),
    ) == [
        ToolCallDelta(0, "c", "sql"),
        ToolCallDelta(0, arguments="select"),
        ToolCallDelta(0, arguments=" 1"),
        PartDelta(0, ToolCall("c", "sql", "select 1", kept(end))),
        CALLS,
    ]


USES = (
    '{"tool_uses":[{"recipient_name":"functions.f","parameters":{"a":1}},{"recipient_name":"g","parameters": {"b":2}}]}'
)


@pytest.mark.parametrize("name", ["multi_tool_use.parallel", "parallel"])
def test_a_made_up_tool_that_calls_others_becomes_those_calls(name: str) -> None:
    call = {"type": "function_call", "call_id": "c", "name": name}
    assert events_of(
        {
            "type": "response.created",
            "response": {"tools": [{"type": "function", "name": "f"}, {"type": "web_search"}]},
        },
        added(0, **call, arguments=""),
        delta("function_call_arguments", 0, USES[:30]),
        delta("function_call_arguments", 0, USES[30:]),
        done(0, **call, arguments=USES),
        completed(),
    ) == [ToolCallDelta(0, "c_0", "f", '{"a":1}'), ToolCallDelta(1, "c_1", "g", '{"b":2}'), CALLS]


def test_a_tool_of_that_name_that_was_offered_is_called() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "parallel"}
    created = {"type": "response.created", "response": {"tools": [{"type": "function", "name": "parallel"}]}}
    assert events_of(created, added(0, **call, arguments=""), done(0, **call, arguments=USES), completed()) == [
        ToolCallDelta(0, "c", "parallel"),
        ToolCallDelta(0, arguments=USES),
        CALLS,
    ]


@pytest.mark.parametrize("arguments", ['{"tool_uses":[]}', '{"other":1}', "{"])
def test_a_made_up_tool_without_calls_inside_stays_what_it_is(arguments: str) -> None:
    end = done(0, type="function_call", call_id="c", name="parallel", arguments=arguments)
    assert events_of(end, completed()) == [ToolCallDelta(0, "c", "parallel", arguments), CALLS]


PAGE = {"type": "url_citation", "url": "https://a.test/", "title": "A", "start_index": 1, "end_index": 4}


def test_citations_belong_to_their_text() -> None:
    file = {"type": "file_citation", "file_id": "file_1", "filename": "a.pdf", "index": 3}
    content = {"type": "output_text", "text": "Paris", "annotations": [PAGE, file, {"type": "unheard_of"}]}
    citations = [UrlCitation("https://a.test/", "A", start=1, end=4), DocumentCitation(file_id="file_1", title="a.pdf")]
    assert events_of(
        delta("output_text", 0, "Paris", content_index=0),
        {"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0, "annotation": PAGE},
        done(0, type="message", content=[content]),
        completed(),
    ) == [TextDelta(0, "Paris"), PartDelta(0, Text("Paris", citations)), STOP]


def test_citations_count_although_the_whole_item_lacks_them() -> None:
    assert events_of(
        delta("output_text", 0, "Paris", content_index=0),
        {"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0, "annotation": PAGE},
        done(0, **words("Paris")),
        completed(),
    ) == [
        TextDelta(0, "Paris"),
        PartDelta(0, Text("Paris", [UrlCitation("https://a.test/", "A", start=1, end=4)])),
        STOP,
    ]


def test_items_of_other_kinds_are_kept_whole() -> None:
    search = b'{"type": "web_search_call", "id": "ws_1", "action": {"query": "q", "x": [1]}}'
    event = b'{"type":"response.output_item.done","output_index":0,"item":' + search + b"}"
    assert events_of(
        added(0, type="web_search_call", id="ws_1"),
        {"type": "response.web_search_call.searching", "output_index": 0},
        {"type": "response.never_heard_of", "output_index": 0, "delta": {"a": 1}},
        {"type": "keepalive", "sequence_number": 4},
        event,
        completed(),
    ) == [PartDelta(0, Custom(Opaque(search.decode(), ORIGIN))), STOP]


def test_a_place_that_is_used_again_holds_another_item() -> None:
    assert events_of(
        added(0, type="reasoning"),
        delta("reasoning_summary_text", 0, "Hm.", summary_index=0),
        delta("output_text", 0, "Yes", content_index=0),
        added(0, type="function_call", call_id="c", name="f"),
        completed(),
    ) == [
        ReasoningDelta(0, "Hm."),
        TextDelta(1, "Yes"),
        ToolCallDelta(2, "c", "f"),
        PartDelta(0, Reasoning("Hm.", "summary")),
        ToolCallDelta(2, arguments="{}"),
        CALLS,
    ]


def test_an_item_that_ends_twice_counts_once() -> None:
    end = done(0, **words("Hi"))
    assert events_of(end, end, completed()) == [TextDelta(0, "Hi"), STOP]


def test_events_without_places_and_types_are_understood_where_the_framing_names_them() -> None:
    decoder = DIALECT.decode_stream(AIM)
    events = [
        *decoder.feed(Frame(b'{"delta":"Hi"}', "response.output_text.delta")),
        *decoder.feed(Frame(b'{"response":{}}', "response.completed")),
    ]
    assert events == [TextDelta(0, "Hi"), STOP]


def test_an_answer_that_comes_with_its_last_event_alone_is_read() -> None:
    output = [words("Hi"), {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]
    assert events_of(completed(output=output)) == [TextDelta(0, "Hi"), ToolCallDelta(1, "c", "f", "{}"), CALLS]


def test_what_was_streamed_is_not_said_again_at_the_end() -> None:
    assert events_of(delta("output_text", 0, "Hi", content_index=0), completed(output=[words("Hi")])) == [
        TextDelta(0, "Hi"),
        STOP,
    ]


@pytest.mark.parametrize(
    ("response", "finish"),
    [
        ({"status": "completed"}, STOP),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            ("length", "max_output_tokens"),
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            ("content_filter", "content_filter"),
        ),
        ({"status": "incomplete", "incomplete_details": {"reason": "steered"}}, ("pause", "steered")),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_messages"}}, ("pause", "max_messages")),
        ({"status": "incomplete", "incomplete_details": {"reason": "news"}}, ("other", "news")),
        ({"status": "incomplete", "incomplete_details": None}, ("other", "incomplete")),
        ({"status": "cancelled"}, ("error", "cancelled")),
        ({"status": "in_progress"}, STOP),
        ({}, STOP),
    ],
)
def test_the_end_says_why_it_came(response: dict[str, Any], finish: Any) -> None:
    wanted = finish if isinstance(finish, FinishReason) else FinishReason(*finish)
    assert events_of({"type": "response.completed", "response": response}) == [wanted]


@pytest.mark.parametrize(
    ("kind", "finish"),
    [("response.incomplete", ("other", "incomplete")), ("response.cancelled", ("error", "cancelled"))],
)
def test_the_name_of_the_last_event_says_why_it_came_if_nothing_else_does(kind: str, finish: Any) -> None:
    assert events_of({"type": kind}) == [FinishReason(*finish)]


def test_calls_of_an_incomplete_answer_do_not_hide_why_it_ended() -> None:
    end = {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}}
    begin = added(0, type="function_call", call_id="c", name="f")
    assert events_of(begin, delta("function_call_arguments", 0, '{"a'), end)[-1] == FinishReason(
        "length", "max_output_tokens"
    )


USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 30},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 120,
}


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (USAGE, {"input": 100, "output": 20, "reasoning": 5, "cache_read": 40, "cache_write": 30}),
        # Cached tokens may exceed the input, and totals tell that reasoning was left out of the output.
        (
            USAGE | {"input_tokens_details": {"cached_tokens": 120}},
            {"input": 100, "output": 20, "reasoning": 5, "cache_read": 100},
        ),
        (
            USAGE | {"total_tokens": 125},
            {"input": 100, "output": 25, "reasoning": 5, "cache_read": 40, "cache_write": 30},
        ),
        ({"input_tokens": 3.0, "output_tokens": None}, {"input": 3}),
        ({"input_tokens": "3", "output_tokens": -1}, {"output": 0}),
    ],
)
def test_token_counts_include_their_parts(usage: dict[str, Any], counts: dict[str, int]) -> None:
    wanted = UsageDelta(**{f"{name}_tokens": number for name, number in counts.items()})
    assert events_of(completed(usage=usage)) == [wanted, STOP]


@pytest.mark.parametrize("response", [{}, {"usage": None}, {"usage": {}}, {"usage": {"input_tokens": "many"}}])
def test_missing_token_counts_are_not_told(response: dict[str, Any]) -> None:
    assert events_of(completed(**response)) == [STOP]


@pytest.mark.parametrize(
    ("usage", "quirks", "cost"),
    [
        ({"cost_in_usd_ticks": 12_345_000}, {}, "0.0012345"),
        ({"cost_in_usd_ticks": 0}, {}, "0"),
        ({"cost_in_usd_ticks": 10**13}, {}, "1000"),
        ({"cost": 0.0000086}, {"cost_field": True}, "0.0000086"),
        ({"cost": 0.0000086}, {}, None),
        ({"cost": None}, {"cost_field": True}, None),
        ({"cost": "free"}, {"cost_field": True}, None),
        ({}, {"cost_field": True}, None),
    ],
)
def test_the_price_is_what_the_server_says(usage: dict[str, Any], quirks: dict[str, Any], cost: str | None) -> None:
    from msgspec.structs import replace

    from sidecar.dialects.quirks import ChatQuirks

    decoder = DIALECT.decode_stream(replace(AIM, quirks=ChatQuirks(**quirks)))
    list(decoder.feed(Frame(msgspec.json.encode(completed(usage=usage)))))
    assert decoder.cost == cost
    assert cost is None or Decimal(cost) >= 0


def test_the_stream_is_over_with_its_last_event() -> None:
    decoder = DIALECT.decode_stream(AIM)
    assert list(decoder.feed(Frame(msgspec.json.encode(delta("output_text", 0, "Hi"))))) == [TextDelta(0, "Hi")]
    assert (decoder.settled, decoder.finished) == (False, False)
    assert list(decoder.feed(Frame(msgspec.json.encode(completed())))) == [STOP]
    assert (decoder.settled, decoder.finished) == (True, True)
    for late in (b"[DONE]", b"", msgspec.json.encode(delta("output_text", 0, "late")), b"broken"):
        assert list(decoder.feed(Frame(late))) == []
    assert list(decoder.close()) == []


@pytest.mark.parametrize("marks", [[], [b"[DONE]"], [b""], [b"[DO"]])
def test_an_answer_without_its_last_event_is_interrupted(marks: list[bytes]) -> None:
    with pytest.raises(SidecarError) as raised:
        events_of(done(0, **words("Hi")), *marks)
    assert raised.value.type == "stream_interrupted"


def test_an_event_that_breaks_off_interrupts_the_answer() -> None:
    with pytest.raises(SidecarError) as raised:
        events_of(b'{"type":"response.completed","resp')
    assert raised.value.type == "stream_interrupted"


def test_members_of_the_wrong_type_are_left_out() -> None:
    assert events_of(
        {"type": "response.output_text.delta", "output_index": "0", "content_index": None, "delta": "Hi"},
        {"type": "response.output_text.delta", "delta": None},
        {"type": "response.output_text.annotation.added", "annotation": "none"},
        completed(output="none", usage=[], tools={}),
    ) == [TextDelta(0, "Hi"), STOP]


def test_lone_surrogates_become_replacement_characters() -> None:
    assert events_of(b'{"type":"response.output_text.delta","delta":"a\\ud800b"}', completed()) == [
        TextDelta(0, "a\ufffdb"),
        STOP,
    ]


def test_a_whole_answer_gives_the_same_parts() -> None:
    reasoning = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gAAA"}
    body = {
        "object": "response",
        "status": "completed",
        "error": None,
        "output": [reasoning, words("Hi", phase="final_answer")],
        "usage": USAGE | {"cost_in_usd_ticks": 5},
    }
    answer = DIALECT.decode_answer(b"\xef\xbb\xbf " + msgspec.json.encode(body), AIM)
    assert answer.cost == "0.0000000005"
    assert answer.events == (
        PartDelta(0, Reasoning("", "redacted", Opaque(msgspec.json.encode(reasoning).decode(), ORIGIN))),
        TextDelta(1, "Hi"),
        PartDelta(1, Text("Hi", opaque=Opaque('{"phase":"final_answer"}', ORIGIN))),
        UsageDelta(input_tokens=100, output_tokens=20, reasoning_tokens=5, cache_read_tokens=40, cache_write_tokens=30),
        STOP,
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"OK", "malformed_response"),
        (b"[]", "malformed_response"),
        (b"{}", "malformed_response"),
        (b'{"status":"in_progress"}', "malformed_response"),
        (b'{"object":"chat.completion","choices":[]}', "malformed_response"),
        (b'{"output":[', "stream_interrupted"),
        (b'{"error":{"message":"No.","code":"rate_limit_exceeded"}}', "rate_limited"),
        (b'{"status":"failed","output":[],"error":{"message":"No.","code":"server_error"}}', "server_error"),
        (b'{"status":"failed","output":[],"error":null}', "server_error"),
    ],
)
def test_a_whole_answer_that_is_none_is_an_error(body: bytes, kind: str) -> None:
    with pytest.raises(SidecarError) as raised:
        DIALECT.decode_answer(body, AIM)
    assert raised.value.type == kind


def test_an_answer_that_goes_on_elsewhere_says_so() -> None:
    answer = DIALECT.decode_answer(b'{"status":"in_progress","output":[]}', AIM)
    assert answer.events == (FinishReason("other", "in_progress"),)
