"""Streams and answers that no server would send give events, or an error of ours."""

import json
from collections.abc import Iterable
from typing import Any

from chat_dialect import aim
from hypothesis import given
from hypothesis import strategies as st

from sidecar.dialects.openai_chat import DIALECT
from sidecar.dialects.traits import ModelTraits
from sidecar.schema.chat import FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent
from sidecar.transcript import Transcript

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def members(**known: Any) -> Any:
    """Return objects with some of these members, each also of any other form."""
    return st.fixed_dictionaries({}, optional={name: strategy | JSON for name, strategy in known.items()})


FUNCTIONS = members(name=st.sampled_from(["f", "g", ""]), arguments=st.sampled_from(["{", "}", "", " "]))
CALLS = members(
    index=st.integers(0, 2),
    id=st.sampled_from(["a", "b", ""]),
    function=FUNCTIONS,
    custom=FUNCTIONS,
    extra_content=JSON,
)
PARTS = members(
    type=st.sampled_from(["text", "thinking", "new"]),
    text=st.text(max_size=5),
    thinking=st.lists(members(text=st.text(max_size=3))),
    image_url=members(url=st.sampled_from(["data:image/png;base64,AA==", "data:,", "https://a.test"])),
    url=st.text(max_size=5),
    signature=st.text(max_size=3),
)
DELTAS = members(
    content=st.sampled_from(["<think>", "a", "</think>", "b"]) | st.lists(PARTS, max_size=3),
    reasoning=st.text(max_size=5),
    reasoning_details=st.lists(members(type=st.sampled_from(["reasoning.text", "x"]), text=st.text(max_size=3))),
    tool_calls=st.lists(CALLS, max_size=3),
    function_call=FUNCTIONS,
    annotations=st.lists(members(url_citation=members(url=st.text(max_size=3)))),
    images=st.lists(PARTS, max_size=2),
    audio=members(id=st.text(max_size=3), data=st.sampled_from(["AA==", "A", "?"]), transcript=st.text(max_size=3)),
)
CHOICES = members(
    index=st.integers(0, 1), delta=DELTAS, message=DELTAS, finish_reason=st.sampled_from(["stop", "", "tool_calls"])
)
CHUNKS = members(
    choices=st.lists(CHOICES, max_size=2),
    usage=members(prompt_tokens=st.integers(-5, 9), completion_tokens=st.floats(0, 9), cost=JSON),
    error=JSON,
    citations=st.lists(st.text(max_size=3)),
    search_results=st.lists(members(url=st.text(max_size=3))),
)


def told(pieces: Iterable[bytes]) -> list[StreamEvent]:
    target = aim(ModelTraits(thinks_aloud=True), cost_field=True)
    framer, decoder = DIALECT.framer(), DIALECT.decode_stream(target)
    events = [event for piece in pieces for frame in framer.feed(piece) for event in decoder.feed(frame)]
    events += [event for frame in framer.close() for event in decoder.feed(frame)]
    return [*events, *decoder.close()]


def check(events: list[StreamEvent]) -> None:
    """Check what holds for every answer: one finish reason, at the end, and parts with indexes from 0 on."""
    transcript = Transcript()
    for event in events:
        transcript.add(event)
    assert [type(event) is FinishReason for event in events].count(True) == 1
    assert type(events[-1]) is FinishReason
    assert all(index >= 0 for index in transcript.parts)


@given(st.lists(CHUNKS, max_size=6))
def test_chunks_of_any_content_give_events_or_an_error_of_ours(chunks: list[Any]) -> None:
    try:
        events = told([*(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n"])
    except SidecarError:
        return
    check(events)


@given(st.lists(st.binary(max_size=30), max_size=5))
def test_any_bytes_give_events_or_an_error_of_ours(pieces: list[bytes]) -> None:
    try:
        told(pieces)
    except SidecarError:
        return


@given(CHUNKS | JSON)
def test_any_answer_gives_events_or_an_error_of_ours(body: Any) -> None:
    try:
        answer = DIALECT.decode_answer(json.dumps(body).encode(), aim(cost_field=True))
    except SidecarError:
        return
    check([*answer.events])


@given(members(data=st.lists(JSON, max_size=3), models=st.lists(JSON, max_size=3)) | JSON)
def test_any_list_of_models_gives_models_or_an_error_of_ours(body: Any) -> None:
    try:
        DIALECT.decode_models(json.dumps(body).encode(), "here")
    except SidecarError:
        return


MODELS = members(
    id=st.just("m"),
    pricing=members(
        prompt=st.sampled_from(["1", "-1", "x"]), overrides=st.lists(members(min_prompt_tokens=st.just(5)))
    ),
    created=st.floats(allow_nan=False, allow_infinity=False),
    prompt_text_token_price=st.floats(allow_nan=False, allow_infinity=False),
    capabilities=members(vision=st.booleans()),
    expiration_date=st.text(max_size=3),
)


@given(st.lists(MODELS, max_size=3))
def test_models_of_any_content_are_listed(models: list[Any]) -> None:
    listed = DIALECT.decode_models(json.dumps({"data": models}).encode(), "here").models
    assert len(listed) <= len(models)
