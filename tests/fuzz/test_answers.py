"""Whatever a server sends, framers and decoders fail in words or give an answer in order, in bounded memory."""

import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hostile_json import SCRAPS, TEXTS, examples, twisted
from hypothesis import given
from hypothesis import strategies as st
from recorded import AIM, DIALECTS, Played, dialect_of, disorders, exchanges

from sidecar.dialects.contract import HttpResponse
from sidecar.dialects.counts import MAX_COUNT
from sidecar.framing import ndjson, sse
from sidecar.framing.frame import Frame
from sidecar.rpc import messages
from sidecar.rpc.messages import Reply
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import UsageDelta

LONGEST = 20_000
"""Longer recordings add time and nothing else."""

STREAMS, ANSWERS = (
    {
        name: [
            body.encode()
            for exchange in exchanges(name)
            if exchange["sse"] == streamed and len(body := exchange["response_body"]) < LONGEST
        ]
        for name in DIALECTS
    }
    for streamed in (True, False)
)

FRAMERS = {"sse": sse, "ndjson": ndjson}
BOUND = 64

dialects = pytest.mark.parametrize("name", DIALECTS)


def cut(stream: bytes, data: st.DataObject) -> list[bytes]:
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    return [stream[start:end] for start, end in pairwise([0, *sorted(places), len(stream)])]


def frames_of(framer: Any, pieces: Iterable[bytes]) -> tuple[list[Frame], str | None]:
    found: list[Frame] = []
    try:
        for piece in pieces:
            found += framer.feed(piece)
        found += framer.close()
    except SidecarError as error:
        return found, error.type
    return found, None


STREAM_BYTES = st.one_of(
    st.binary(max_size=80), st.lists(st.one_of(SCRAPS, st.binary(max_size=9)), max_size=30).map(b"".join)
)


@pytest.mark.parametrize("kind", FRAMERS)
@examples(200)
@given(stream=STREAM_BYTES, data=st.data())
def test_frames_do_not_depend_on_the_pieces_that_they_come_in(kind: str, stream: bytes, data: st.DataObject) -> None:
    module = FRAMERS[kind]
    assert frames_of(module.Framer(), cut(stream, data)) == frames_of(module.Framer(), [stream])


@pytest.mark.parametrize("kind", FRAMERS)
@given(stream=st.lists(STREAM_BYTES, max_size=4).map(b"".join), data=st.data())
def test_a_framer_holds_no_more_than_its_bound(kind: str, stream: bytes, data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FRAMERS[kind], "MAX_FRAME_BYTES", BOUND)
        framer = FRAMERS[kind].Framer()
        for piece in cut(stream, data):
            found, error = frames_of_piece(framer, piece)
            if error is not None:
                assert error == "malformed_response"
                return
            assert len(framer._held) <= BOUND
            assert all(len(frame.data) <= BOUND for frame in found)


def frames_of_piece(framer: Any, piece: bytes) -> tuple[list[Frame], str | None]:
    try:
        return framer.feed(piece), None
    except SidecarError as error:
        return [], error.type


def mixed(stream: bytes, data: st.DataObject) -> bytes:
    """Drop, repeat or swap whole events, or none."""
    events = stream.split(b"\n\n") if b"\n\n" in stream else stream.split(b"\n")
    between = b"\n\n" if b"\n\n" in stream else b"\n"
    at, other = (data.draw(st.integers(0, len(events) - 1)) for _ in range(2))
    match data.draw(st.sampled_from(["drop", "repeat", "swap", "no"])):
        case "drop":
            del events[at]
        case "repeat":
            events.insert(other, events[at])
        case "swap":
            events[at], events[other] = events[other], events[at]
    return between.join(events)


@dialects
@examples(150)
@given(data=st.data())
def test_a_damaged_stream_fails_in_words_or_gives_an_answer_in_order(name: str, data: st.DataObject) -> None:
    recorded = STREAMS[name][data.draw(st.integers(0, len(STREAMS[name]) - 1))]
    stream = twisted(mixed(recorded, data), data)
    pieces = cut(stream, data)
    played = Played(dialect_of(name), pieces)
    assert (played.error is None) == (played.transcript.finish is not None)
    assert disorders(played.events) == []
    assert_sound(played.events)
    whole = Played(dialect_of(name), [stream])
    assert played.transcript.message() == whole.transcript.message()
    written = messages.encode(Reply(1, played.transcript.message()))
    assert json.loads(written)["result"]["role"] == "assistant"


def assert_sound(events: Iterable[Any]) -> None:
    """Check that all counts are such as every reader of JSON can take."""
    for event in events:
        if isinstance(event, UsageDelta):
            for count in msgspec.structs.astuple(event):
                assert count is None or isinstance(count, str) or 0 <= count <= MAX_COUNT


def outcome(read: Callable[[], Any]) -> Any:
    """Return what is read, or the error; nothing else may come of it."""
    try:
        found = read()
    except SidecarError as error:
        assert error.message  # noqa: PT017 - either outcome will do
        return error
    messages.encode(Reply(1, found))
    return found


@dialects
@examples(150)
@given(data=st.data())
def test_a_damaged_body_is_read_or_refused_whatever_it_was_meant_to_be(name: str, data: st.DataObject) -> None:
    known, dialect = ANSWERS[name], dialect_of(name)
    meant = known[data.draw(st.integers(0, len(known) - 1))] if known else b"{}"
    body = twisted(meant, data) if data.draw(st.booleans()) else data.draw(TEXTS)
    answer = outcome(lambda: list(dialect.decode_answer(body, AIM).events))
    if not isinstance(answer, SidecarError):
        assert disorders(answer) == []
        assert_sound(answer)
    for read in (dialect.decode_embeddings, dialect.decode_count):
        outcome(lambda read=read: read(body))  # type: ignore[misc]
    status = data.draw(st.sampled_from([200, 400, 401, 404, 429, 500, 599]))
    assert isinstance(dialect.decode_error(HttpResponse(status, {}, body)), SidecarError)


LISTS = {
    "openai-chat": b'{"data":[{"id":"a","created":1,"context_length":8,"pricing":{"prompt":"1"},"size":5}]}',
    "openai-responses": b'{"data":[{"id":"a","created":1,"object":"model"}]}',
    "anthropic-messages": b'{"data":[{"id":"a","max_tokens":5,"max_input_tokens":7}],"has_more":true}',
    "gemini-generate": b'{"models":[{"name":"models/a","inputTokenLimit":5,"outputTokenLimit":7}],"nextPageToken":"b"}',
    "ollama-chat": b'{"models":[{"name":"a","model":"a","size":5,"details":{"family":"f"}}]}',
}
NUMBERS = ("created", "context_length", "max_output_tokens", "size_bytes")


@dialects
@examples(100)
@given(data=st.data())
def test_a_damaged_list_of_models_is_read_or_refused(name: str, data: st.DataObject) -> None:
    body = twisted(LISTS[name], data) if data.draw(st.booleans()) else data.draw(TEXTS)
    page = outcome(lambda: dialect_of(name).decode_models(body, "here"))
    if isinstance(page, SidecarError):
        return
    for model in page.models:
        for number in NUMBERS:
            assert 0 <= (getattr(model, number) or 0) <= MAX_COUNT
