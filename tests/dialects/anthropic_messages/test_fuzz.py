"""Whatever a server sends, an error of our own is the worst that comes of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages_dialect import events_of, frame
from recorded import AIM

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.schema.errors import SidecarError
from sidecar.transcript import Transcript

NAMES = st.sampled_from(
    [
        "type",
        "index",
        "delta",
        "content_block",
        "message",
        "usage",
        "text",
        "thinking",
        "signature",
        "input",
        "citation",
        "citations",
        "partial_json",
        "content",
        "stop_reason",
        "stop_details",
        "error",
        "id",
        "name",
        "input_tokens",
    ]
)
WORDS = st.sampled_from(
    [
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_start",
        "message_delta",
        "message",
        "message_stop",
        "error",
        "text",
        "thinking",
        "tool_use",
        "server_tool_use",
        "text_delta",
        "citations_delta",
        "x",
    ]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.floats(), WORDS, st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=12,
)
TYPED = st.tuples(st.dictionaries(NAMES, VALUES, max_size=6), WORDS).map(lambda pair: pair[0] | {"type": pair[1]})


@given(st.lists(st.one_of(TYPED, VALUES), max_size=6), st.sampled_from([None, "error", "x"]))
def test_no_json_is_more_than_an_error(values: list[Any], name: str | None) -> None:
    decoder = DIALECT.decode_stream(AIM)
    transcript = Transcript()
    try:
        for value in values:
            for event in decoder.feed(frame(value, name)):
                transcript.add(event)
        for event in decoder.close():
            transcript.add(event)
    except SidecarError:
        return
    assert transcript.finish is not None


@given(st.lists(st.one_of(st.binary(max_size=40), st.binary(max_size=40).map(lambda data: b"{" + data)), max_size=4))
def test_no_bytes_are_more_than_an_error(blobs: list[bytes]) -> None:
    with pytest.raises(SidecarError):
        events_of(*blobs)


@given(st.one_of(st.binary(max_size=60), VALUES.map(lambda value: json.dumps(value).encode()), TYPED.map(json.dumps)))
def test_no_body_is_more_than_an_error(body: bytes | str) -> None:
    data = body if isinstance(body, bytes) else body.encode()
    for read in (
        lambda: DIALECT.decode_answer(data, AIM),
        lambda: DIALECT.decode_models(data, "here"),
        lambda: DIALECT.decode_count(data),
    ):
        try:
            read()
        except SidecarError as error:
            assert error.message  # noqa: PT017 - either outcome will do
