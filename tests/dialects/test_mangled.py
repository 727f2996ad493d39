"""Streams that no provider should send: whatever comes, the decoders fail in words or give an answer in order."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from provider_wires import WIRES
from recorded import AIM, DIALECTS, Played, dialect_of, disorders, exchanges

from sidecar.schema.errors import SidecarError

BODIES = {
    dialect: [exchange["response_body"].encode() for exchange in exchanges(dialect) if exchange["sse"]]
    for dialect in DIALECTS
}
BODIES["ollama-chat"].append(WIRES["ollama-native"].calls)
BODIES["openai-responses"].append(WIRES["openai-responses"].calls)

ODD: tuple[Any, ...] = (None, 0, -1, 1.5, True, "", "x", [], [None], {}, {"type": "x"}, [{"text": 1}])


def events_of(body: bytes) -> list[bytes]:
    return (
        re.findall(rb".+?(?:\r?\n\r?\n|\n$|\Z)", body, re.DOTALL)
        if b"data:" in body
        else body.splitlines(keepends=True)
    )


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return all containers in a value, each with its keys."""
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    here = [(value, key) for key in keys]
    inner = [value[key] for key in keys if isinstance(value[key], dict | list)]
    return here + [place for one in inner for place in places(one)]


def mangled(event: bytes, data: st.DataObject) -> bytes:
    """Replace one value inside an event, or take it out."""
    start, end = event.find(b"{"), event.rfind(b"}") + 1
    try:
        message = json.loads(event[start:end])
    except ValueError:
        return event
    found = places(message)
    if not found:
        return event
    container, key = data.draw(st.sampled_from(found))
    if data.draw(st.booleans()):
        container[key] = data.draw(st.sampled_from(ODD))
    else:
        del container[key]
    return event[:start] + json.dumps(message).encode() + event[end:]


def disturbed(events: list[bytes], data: st.DataObject) -> list[bytes]:
    """Take events out, say them twice or in another order, and change what they hold."""
    for _ in range(data.draw(st.integers(1, 4))):
        at, other = (data.draw(st.integers(0, max(0, len(events) - 1))) for _ in range(2))
        how = data.draw(st.sampled_from(["drop", "repeat", "swap", "mangle", "mangle", "mangle"]))
        if not events:
            break
        if how == "drop":
            del events[at]
        elif how == "repeat":
            events.insert(other, events[at])
        elif how == "swap":
            events[at], events[other] = events[other], events[at]
        else:
            events[at] = mangled(events[at], data)
    return events


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=50)
@given(st.data())
def test_a_disturbed_stream_fails_in_words_or_gives_an_answer_in_order(name: str, data: st.DataObject) -> None:
    events = disturbed(events_of(data.draw(st.sampled_from(BODIES[name]))), data)
    played = Played(dialect_of(name), events)
    assert (played.error is None) == (played.transcript.finish is not None)
    assert disorders(played.events) == []


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=50)
@given(st.data())
def test_a_disturbed_answer_fails_in_words_or_is_one(name: str, data: st.DataObject) -> None:
    bodies = [exchange["response_body"].encode() for exchange in exchanges(name) if not exchange["sse"]]
    body = mangled(data.draw(st.sampled_from(bodies or [b"{}"])), data)
    events, error = whole(name, body)
    assert (error is None) == bool(events)
    assert disorders(events) == []


def whole(name: str, body: bytes) -> tuple[list[Any], SidecarError | None]:
    try:
        return list(dialect_of(name).decode_answer(body, AIM).events), None
    except SidecarError as error:
        return [], error
