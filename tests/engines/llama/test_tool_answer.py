import json
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.engines.llama.tool_answer import ToolAnswer
from sidecar.schema.events import StreamEvent, TextDelta, ToolCallDelta


def read(pieces: Iterable[str], *, json_reply: bool = False) -> tuple[list[StreamEvent], ToolAnswer]:
    names = map("call_{}".format, count())
    answer = ToolAnswer(count().__next__, names.__next__, json_reply=json_reply)
    return [event for piece in pieces for event in answer.feed(piece)], answer


def joined(events: Sequence[StreamEvent]) -> list[StreamEvent]:
    """Return the events with neighbours that add to the same part as one."""
    done: list[StreamEvent] = []
    for event in events:
        last = done[-1] if done else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta) and last.index == event.index:
            done[-1] = TextDelta(event.index, last.text + event.text)
        elif isinstance(event, ToolCallDelta) and isinstance(last, ToolCallDelta) and event.id is None:
            assert last.index == event.index
            done[-1] = ToolCallDelta(event.index, last.id, last.name, last.arguments + event.arguments)
        else:
            done.append(event)
    return done


def test_a_call_is_told_by_name_first_and_then_as_its_arguments_come() -> None:
    events, answer = read(['{"to', 'ol": "add"', ', "arguments": {"a": ', "17}", "}"])
    assert events == [
        ToolCallDelta(0, "call_0", "add"),
        ToolCallDelta(0, arguments='{"a": '),
        ToolCallDelta(0, arguments="17}"),
    ]
    assert (answer.called, answer.whole) == (True, True)


def test_a_list_of_calls_is_calls_in_their_order() -> None:
    events, answer = read(['[{"tool":"a","arguments":{}},\n {"tool":"b","arguments":{"x":"]}\\""}}]'])
    assert joined(events) == [ToolCallDelta(0, "call_0", "a", "{}"), ToolCallDelta(1, "call_1", "b", '{"x":"]}\\""}')]
    assert answer.whole


def test_a_reply_is_text() -> None:
    events, answer = read(['{"reply"', ': "Hello', ' \\"world\\"', '!"}'])
    assert events == [TextDelta(0, "Hello"), TextDelta(0, ' "world"'), TextDelta(0, "!")]
    assert (answer.called, answer.whole) == (False, True)


def test_no_character_and_no_escape_of_a_reply_is_cut() -> None:
    events, _ = read(['{"reply":"a\\', "n\\ud83", "d\\ude", '00\\u00e9\\t/"}'])
    assert events == [TextDelta(0, "a"), TextDelta(0, "\n"), TextDelta(0, "😀é\t/")]


@pytest.mark.parametrize("written", ["\\ud83d!", "\\ude00!", "\\ud83d\\n", "\\ud83d\\ud83d\\ude00"])
def test_half_a_character_is_marked_as_such(written: str) -> None:
    events, _ = read([f'{{"reply":"{written}"}}'])
    lone = json.loads(f'"{written}"').encode("utf-8", "replace").decode()
    assert [event.text for event in events if isinstance(event, TextDelta)] == [lone.replace("?", "\ufffd")]


def test_half_a_character_at_the_end_of_a_reply_is_marked_too() -> None:
    events, _ = read(['{"reply":"\\ud83d"}'])
    assert events == [TextDelta(0, "\ufffd")]


@pytest.mark.parametrize("reply", ['{"a": "}"}', "[1, 2]", '"text"', "12.5", "null"])
def test_a_reply_in_json_stays_json(reply: str) -> None:
    events, answer = read(f'{{"reply": {reply} }}', json_reply=True)
    assert joined(events) == [TextDelta(0, reply)]
    assert answer.whole


@pytest.mark.parametrize("cut", ['{"tool":"add","arguments":{"a":1', '[{"tool":"add","arguments":{}}', '{"tool":"ad'])
def test_what_is_cut_off_is_not_whole(cut: str) -> None:
    _, answer = read([cut])
    assert not answer.whole


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(st.text(), VALUES, max_size=3)
CALLS = st.builds(lambda tool, arguments: {"tool": tool, "arguments": arguments}, st.text(min_size=1), ARGUMENTS)
ANSWERS = CALLS | st.lists(CALLS, min_size=1, max_size=3) | st.fixed_dictionaries({"reply": st.text()})


@given(ANSWERS, st.sampled_from([{}, {"ensure_ascii": False}, {"indent": 1}]), st.data())
def test_however_an_answer_is_cut_into_pieces_it_says_the_same(
    said: Any, style: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(said, **style)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole, answer = read([text])
    assert joined(read(pieces)[0]) == joined(whole)
    assert answer.whole
    assert meaning(joined(whole)) == (said if isinstance(said, list) else [said])


def meaning(events: list[StreamEvent]) -> list[dict[str, Any]]:
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    if calls:
        return [{"tool": call.name, "arguments": json.loads(call.arguments)} for call in calls]
    return [{"reply": "".join(event.text for event in events if isinstance(event, TextDelta))}]
