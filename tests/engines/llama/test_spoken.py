from collections.abc import Iterable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.engines.llama.protocol import Delta, Done, Kind
from sidecar.engines.llama.spoken import Form, Spoken
from sidecar.schema.chat import FinishReason, Part, Reasoning, Text, ToolCall
from sidecar.schema.events import ReasoningDelta, Status, StreamEvent, TextDelta, ToolCallDelta, UsageDelta
from sidecar.transcript import Transcript

STOP = Done(1, "stop", 5, 2, 1)
USAGE = UsageDelta(input_tokens=5, output_tokens=2, cache_read_tokens=1)
THINKING = Status(state="thinking")
TOOLS = Form("tools")


def said(pieces: Iterable[str | tuple[Kind, str]], form: Form = Form(), done: Done = STOP) -> list[StreamEvent]:  # noqa: B008
    spoken = Spoken(form, map("call_{}".format, count()).__next__)
    events: list[StreamEvent] = []
    for piece in pieces:
        kind, text = ("text", piece) if isinstance(piece, str) else piece
        events += spoken.add(Delta(1, kind, text))
        if spoken.stopped:
            return events
    return [*events, *spoken.end(done)]


def parts(events: Iterable[StreamEvent]) -> list[Part] | str:
    transcript = Transcript()
    for event in events:
        transcript.add(event)
    return transcript.message().content


def test_words_are_passed_on_with_the_usage_and_the_end() -> None:
    assert said(["one", "two"]) == [TextDelta(0, "one"), TextDelta(0, "two"), USAGE, FinishReason("stop", "stop")]


def test_thoughts_between_marks_are_told_from_words() -> None:
    events = said(["<thi", "nk>\nHm", "m.</th", "ink>\n\n", "Yes."])
    assert events[:-2] == [THINKING, ReasoningDelta(0, "Hm"), ReasoningDelta(0, "m."), TextDelta(1, "Yes.")]


def test_thoughts_that_the_engine_told_apart_stay_apart() -> None:
    events = said([("reasoning", "Hmm."), "Yes: </think>"])
    assert events[:-2] == [THINKING, ReasoningDelta(0, "Hmm."), TextDelta(1, "Yes: </think>")]


def test_an_answer_that_ends_within_its_thoughts_is_thoughts() -> None:
    assert parts(said(["<think>", "Hmm.</th"], done=Done(1, "length"))) == [Reasoning("Hmm.</th")]


def test_what_looks_like_a_mark_at_the_end_is_words() -> None:
    assert parts(said(["<thi"])) == [Text("<thi")]


@given(st.data())
def test_wherever_thoughts_and_words_are_cut_they_are_the_same(data: st.DataObject) -> None:
    text = "<think>\nIs 1 < 2?\n</think>\n\nYes, <b>it</b> is."
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert parts(said(pieces)) == [Reasoning("Is 1 < 2?\n"), Text("Yes, <b>it</b> is.")]


def test_json_holds_no_thoughts() -> None:
    assert parts(said(['"<think>', 'a</think>"'], Form("json"))) == [Text('"<think>a</think>"')]


def test_calls_end_an_answer_as_tool_calls() -> None:
    events = said(['{"tool":"clock","arguments":', "{}}"], TOOLS)
    assert events == [
        ToolCallDelta(0, "call_0", "clock"),
        ToolCallDelta(0, arguments="{}"),
        USAGE,
        FinishReason("tool_calls", "stop"),
    ]


def test_a_reply_beside_tools_ends_like_any_other() -> None:
    assert said(['{"reply":"hi"}'], TOOLS)[-1] == FinishReason("stop", "stop")


@pytest.mark.parametrize("text", ['{"tool":"clock","arguments":{"a', '[{"tool":"clock","arguments":{}}'])
def test_calls_that_are_cut_off_keep_the_reason_of_their_end(text: str) -> None:
    events = said([text], TOOLS, Done(1, "length"))
    assert events[-1] == FinishReason("length", "length")
    (call,) = parts(events)
    assert isinstance(call, ToolCall)
    assert call.name == "clock"


def test_thoughts_and_calls_have_places_of_their_own() -> None:
    events = said([("reasoning", "Hmm."), '[{"tool":"a","arguments":{}},{"tool":"b","arguments":{}}]'], TOOLS)
    assert parts(events) == [Reasoning("Hmm."), ToolCall("call_0", "a", "{}"), ToolCall("call_1", "b", "{}")]


def test_a_stop_sequence_ends_the_reply_and_not_its_form() -> None:
    events = said(['{"reply":"a}b', "EN", 'D c"}'], Form("tools", stop=("END", "}")))
    assert events == [TextDelta(0, "a"), FinishReason("stop")]
    events = said(['{"reply":"abE', 'N"}'], Form("tools", stop=("END",)))
    assert parts(events) == [Text("abEN")]
    assert events[-1] == FinishReason("stop", "stop")


def test_a_stop_sequence_leaves_calls_alone() -> None:
    events = said(['{"tool":"a","arguments":{"x":"END"}}'], Form("tools", stop=("END",)))
    assert parts(events) == [ToolCall("call_0", "a", '{"x":"END"}')]


def test_every_call_has_a_name_of_its_own() -> None:
    first, second = (next(iter(Spoken(TOOLS).add(Delta(1, "text", '{"tool":"a"')))) for _ in range(2))
    assert isinstance(first, ToolCallDelta)
    assert isinstance(second, ToolCallDelta)
    assert first.id != second.id
