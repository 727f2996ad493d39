"""Answers shaped: cut at stop sequences, taken out of Markdown, out of a tool call."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.dialects.shaping import Shaper, Shaping
from sidecar.schema.chat import FinishReason, Reasoning, Text, ToolCall
from sidecar.schema.citations import Citation, UrlCitation
from sidecar.schema.events import PartDelta, ReasoningDelta, Status, StreamEvent, TextDelta, ToolCallDelta, UsageDelta
from sidecar.transcript import Transcript

STOP = FinishReason("stop", "end_turn")
JSON = '{"a": "```", "b": [1]}'


def shaped(shaping: Shaping, events: Iterable[StreamEvent]) -> list[StreamEvent]:
    """Return the events as the engine delivers them, given one by one."""
    shaper = Shaper(shaping)
    return [made for event in events for made in shaper.shape([event])]


def transcript(events: Iterable[StreamEvent]) -> Transcript:
    found = Transcript()
    for event in events:
        found.add(event)
    return found


def spoken(*pieces: str, finish: FinishReason = STOP, **shaping: Any) -> tuple[str, FinishReason | None]:
    """Return the words that are left of a text in pieces, and how it ends."""
    events = shaped(Shaping(**shaping), [*(TextDelta(0, piece) for piece in pieces), finish])
    assert all(event.text for event in events if isinstance(event, TextDelta))
    return "".join(event.text for event in events if isinstance(event, TextDelta)), transcript(events).finish


def cuttings(text: str) -> Iterator[tuple[str, ...]]:
    """Return the text in pieces of every size."""
    for size in range(1, len(text) + 1):
        yield tuple(text[at : at + size] for at in range(0, len(text), size))


def test_an_answer_is_cut_at_the_first_stop_sequence_however_it_comes() -> None:
    for pieces in cuttings("one two three END four STOP"):
        assert spoken(*pieces, stop=("STOP", "END")) == ("one two three ", FinishReason("stop"))


def test_an_answer_without_a_stop_sequence_stays_whole() -> None:
    for pieces in cuttings("EEN EN E ENDE"[:-2]):
        assert spoken(*pieces, stop=("END",)) == ("EEN EN E EN", STOP)


def test_nothing_follows_a_stop_sequence() -> None:
    shaper = Shaper(Shaping(stop=("END",)))
    assert list(shaper.shape([TextDelta(0, "a END b"), TextDelta(1, "c"), STOP])) == [
        TextDelta(0, "a "),
        FinishReason("stop"),
    ]
    assert shaper.stopped
    assert list(shaper.shape([STOP])) == []


@given(st.text("ab", max_size=12), st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3), st.data())
def test_a_cut_stream_reads_as_the_cut_text(text: str, stop: list[str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    pieces = [text[one:other] for one, other in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    found = [text.index(sequence) for sequence in stop if sequence in text]
    words, finish = spoken(*pieces, stop=tuple(stop))
    # Of two sequences that overlap the one that is complete first counts, as it does for providers.
    assert finish == (FinishReason("stop") if found else STOP)
    assert text.startswith(words)
    assert words == text if not found else len(words) <= max(found)
    assert not any(sequence in words for sequence in stop)


def test_words_go_out_as_soon_as_they_are_certain() -> None:
    shaper = Shaper(Shaping(stop=("END",)))
    assert list(shaper.shape([TextDelta(0, "one E")])) == [TextDelta(0, "one ")]
    assert list(shaper.shape([TextDelta(0, "N")])) == []
    assert list(shaper.shape([TextDelta(0, "NUI")])) == [TextDelta(0, "ENNUI")]


def test_each_text_is_looked_at_by_itself() -> None:
    events = shaped(Shaping(stop=("END",)), [TextDelta(0, "one E"), TextDelta(1, "ND two"), STOP])
    assert [part.text for part in transcript(events).message().content] == ["one E", "ND two"]  # type: ignore[union-attr]


def test_what_is_held_back_goes_out_before_anything_else_happens() -> None:
    call = ToolCallDelta(1, "a", "f", "{}")
    events = shaped(Shaping(stop=("END",)), [TextDelta(0, "one E"), call, UsageDelta(output_tokens=1), STOP])
    assert events == [TextDelta(0, "one "), TextDelta(0, "E"), call, UsageDelta(output_tokens=1), STOP]


def test_signs_of_life_and_counts_say_nothing_of_the_words_around_them() -> None:
    between: list[StreamEvent] = [Status(state="thinking"), UsageDelta(output_tokens=1)]
    events = shaped(Shaping(stop=("END",)), [TextDelta(0, "E"), *between, TextDelta(0, "ND"), STOP])
    assert events == [*between, FinishReason("stop")]


def test_a_whole_part_holds_the_words_that_were_passed_on() -> None:
    cited: list[Citation] = [UrlCitation("https://llm.test")]
    events = shaped(Shaping(fenced=True), [TextDelta(0, f"```json\n{JSON}\n```"), PartDelta(0, Text("x", cited)), STOP])
    assert transcript(events).message().content == [Text(JSON, cited)]


@pytest.mark.parametrize(
    "text",
    [
        JSON,
        f"\n{JSON}",
        f"```json\n{JSON}\n```",
        f"```\n{JSON}\n```\n",
        f"\n\n```json\n{JSON}```  \n",
        f"```json\n{JSON}\n```\nI hope that this helps.",
    ],
)
def test_json_is_taken_out_of_its_fence_however_it_comes(text: str) -> None:
    for pieces in cuttings(text):
        assert spoken(*pieces, fenced=True) == (JSON, STOP)


def test_what_is_no_fence_stays() -> None:
    for text in ("``", "`a`", "```json"):
        for pieces in cuttings(text):
            assert spoken(*pieces, fenced=True) == (text, STOP)


def test_a_fenced_answer_is_cut_at_stop_sequences_too() -> None:
    for pieces in cuttings("```json\n[1, 2, END 3]\n```"):
        assert spoken(*pieces, fenced=True, stop=("END",)) == ("[1, 2, ", FinishReason("stop"))


def answering(*events: StreamEvent) -> Transcript:
    return transcript(shaped(Shaping(tool="out", structured="tool"), events))


def test_a_call_of_the_tool_that_takes_the_answer_is_the_answer() -> None:
    call = [ToolCallDelta(0, "a", "out"), ToolCallDelta(0, arguments='{"a":'), ToolCallDelta(0, arguments="1}")]
    found = answering(*call, PartDelta(0, ToolCall("a", "out", '{"a":1}')), FinishReason("tool_calls", "tool_use"))
    assert found.message().content == [Text('{"a":1}')]
    assert found.finish == FinishReason("stop", "tool_use")


def test_an_answer_by_tool_that_is_too_long_says_so() -> None:
    found = answering(ToolCallDelta(0, "a", "out", '{"a":'), FinishReason("length", "max_tokens"))
    assert found.finish == FinishReason("length", "max_tokens")


def test_calls_of_other_tools_stay_calls() -> None:
    found = answering(ToolCallDelta(0, "a", "f", "{}"), FinishReason("tool_calls", "tool_use"))
    assert found.message().content == [ToolCall("a", "f", "{}")]
    assert found.finish == FinishReason("tool_calls", "tool_use")


def test_reasoning_before_the_answer_stays() -> None:
    thought = PartDelta(0, Reasoning("hm"))
    found = answering(ReasoningDelta(0, "hm"), thought, ToolCallDelta(1, "a", "out", "{}"), FinishReason("tool_calls"))
    assert found.message().content == [Reasoning("hm"), Text("{}")]
